"""Final answers of mathematical tasks: found (`extract`), read (`tokens`, `parse`) and compared (`compare`, `values`).

`rewards.math_answer` is the way in. Nothing here imports the rest of the package, so that a worker starts quickly.
"""
