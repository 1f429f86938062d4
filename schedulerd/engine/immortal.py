"""What the spawner has loaded is made immortal, so that a run which uses it does not copy the memory that it lies in.

CPython counts the references to an object in the object itself: a forked process that only calls a function writes to it, and the kernel
copies the page. From 3.12 on (PEP 683) one value of the count says that an object is immortal, and nobody writes to that. The interpreter has
no function for it; as with the `immortalize_heap` of Meta's Cinder the count is set from outside.
"""

import ctypes
import gc
import sys
import types
from collections.abc import Iterator
from typing import Any, Final

_KINDS: Final = frozenset(
    {
        types.FunctionType,
        types.BuiltinFunctionType,
        types.MethodType,
        types.MethodDescriptorType,
        types.WrapperDescriptorType,
        types.GetSetDescriptorType,
        types.MemberDescriptorType,
        types.ClassMethodDescriptorType,
        types.MappingProxyType,
        types.ModuleType,
        types.CellType,
        property,
        classmethod,
        staticmethod,
        tuple,
        dict,
        frozenset,
    }
)
"""What a program is made of. Nothing that is missed when it is never freed, as an open file would be."""
_count_at: Final = ctypes.c_uint32.from_address  # the half of it that says whether it counts


def make_immortal_what_is_loaded() -> bool:
    """Have no use of what is loaded now counted: functions, types, modules and what they hold; none of it is freed from now on.

    For a process that forks others and loads nothing more. Whether this interpreter can: one before 3.12, one without a lock for all
    threads (PEP 703), and one that is not CPython are left as they are.
    """
    if sys.implementation.name != "cpython" or not _is_heeded():
        return False
    count = _count_at(id(None)).value
    for one in _loaded():
        _count_at(id(one)).value = count
    return True


def _is_heeded() -> bool:
    """Whether a count stands where it is looked for, and stands still once it is that of `None`: asked with an object of our own."""
    mine = object()
    count = _count_at(id(mine))
    before = count.value
    held = [mine] * 3
    if count.value != before + len(held):
        return False
    count.value = _count_at(id(None)).value
    immortal = count.value
    more = [mine] * 3
    stands_still = count.value == immortal
    del more
    if not stands_still:
        count.value = before + len(held)
    return stands_still


def _loaded() -> Iterator[Any]:
    """Each object that is to be immortal, at least once."""
    for one in gc.get_objects():
        if type(one) in _KINDS or isinstance(one, type):
            yield one
        if type(one) is types.FunctionType:
            yield from _of_code(one.__code__)


def _of_code(code: types.CodeType) -> Iterator[Any]:
    """Code and what it names, which the collector of garbage does not know."""
    yield code
    yield code.co_consts
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _of_code(constant)
        else:
            yield constant
