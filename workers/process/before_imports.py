"""The first that a server of child processes imports: until the last, the collector rests.

The engine's imports make a million objects that stay, and each look through all of them finds nothing:
without these looks a worker is ready a seventh sooner (measured: 4.7 for 5.5 seconds of processor time).
"""

import gc

gc.disable()
