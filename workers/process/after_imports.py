"""The last that a server of child processes imports: what is there now stays, and no child looks through it.

Looking would also copy the pages that children share with the server.
"""

import gc

gc.freeze()
gc.enable()
