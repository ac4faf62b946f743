"""The encoders of vsr once more: naive, in float64, one sequence at a time.

Written to be compared with, and to be read: nothing is fused, tiled, cached or batched, and every module follows the
definition of its model line by line. `model.open_model(directory)` is where to begin.
"""
