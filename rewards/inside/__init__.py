"""What runs inside a sandbox: sources that `rewards.sandbox` compiles and sends; they import only each other.

A program and its tests run in two sandboxes. The tests hold the expected values and the verdict; they call the program
through a pair of pipes on which only data travels (`wire`). What the program does to its own interpreter it does to
itself.
"""
