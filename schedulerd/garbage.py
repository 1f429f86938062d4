"""When Python looks for garbage: not while a program is being loaded, and never through what it has loaded.

Nothing is garbage by then, and to look for some costs a sixth of the loading.
"""

import gc


def look_for_no_garbage() -> None:
    """Look for no garbage until `look_for_garbage_again`."""
    gc.disable()


def look_for_garbage_again() -> None:
    """Look for garbage from now on, and only among what is made from now on. What is there stays, shared by what is forked."""
    gc.freeze()
    gc.enable()


def leave_all_garbage() -> None:
    """The process ends, and has all taken from it at once: Python would look through all of it once more before."""
    gc.freeze()
