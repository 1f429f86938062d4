"""Who is counted as one when guesses are counted: an address of version 4, and of version 6 the network, which one has whole."""

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

_OF_ONE: Final = 64
"""So many bits of an address of version 6 are of the network; whoever has one has all addresses in it."""


def network_of(address: str) -> str:
    """The address, or the network of one of version 6; what is none stays as it is."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((int(found), _OF_ONE), strict=False))
