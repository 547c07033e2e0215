"""The commands of `python -m data_gen`: making a data set, and what is done with one."""
