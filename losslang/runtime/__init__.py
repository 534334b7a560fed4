"""The compiled loss: binding arrays to axes, hyperparameters, schedules, results.

Knows what a loss expects (``losslang.lowered``) and that functions can be had for it
(``runtime.kernels``), not how they are made. One module a framework; none is imported before it is used.
"""
