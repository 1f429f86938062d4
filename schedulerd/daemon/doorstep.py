"""What is seen to before anybody is let in to the web interface: that nobody outside finds it without users, and that whoever started
the daemon finds it at all."""

import os
import socket
from ipaddress import ip_address

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal, Role
from schedulerd.errors import NotPermitted, StoreUnavailable
from schedulerd.operations.links import sign_in_link
from schedulerd.operations.passwords import Passwords
from schedulerd.operations.sign_in import SignIn
from schedulerd.store.database import Database
from schedulerd.watch.crontabs import own_account


def require_users(listener: socket.socket, database: Database) -> None:
    """Raise `NotPermitted`, and close the listener, where other machines would reach a web interface that has no users."""
    host = listener.getsockname()[0]
    if ip_address(host.partition("%")[0]).is_loopback:
        return
    with database.read() as tx:
        if tx.users.can_sign_in():
            return
    listener.close()
    raise NotPermitted(
        f"other machines can reach {host}, and there is no user with a password yet",
        mend="make one first: `schedulerd users add NAME --role admin`; or listen on 127.0.0.1, the default of `[web] host`",
    )


def link_for_starter(database: Database, clock: Clock, address: str) -> str | None:
    """A sign-in link for whoever started the daemon, who is an admin; None where the database does not take one now."""
    you = Principal(name=own_account(os.geteuid()).name, role=Role.ADMIN)
    try:
        code = SignIn(database, clock, Passwords()).make_code(you.name, you.role, by=you)
    except StoreUnavailable:
        return None
    return sign_in_link(address, code)
