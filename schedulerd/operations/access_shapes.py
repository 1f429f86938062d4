"""Users, sessions, tokens and the audit as programs see them. No hash of anything is in them."""

from datetime import datetime

from schedulerd.domain.access import Principal
from schedulerd.domain.api_tokens import ApiToken
from schedulerd.domain.audit import AuditEntry, differences
from schedulerd.domain.sessions import IDLE, LONGEST, Session
from schedulerd.domain.users import User
from schedulerd.operations.shapes import Shape, time_text


def principal_shape(principal: Principal) -> Shape:
    """Who asks."""
    scopes = principal.scopes
    return {
        "name": principal.name,
        "role": principal.role.value,
        "means": principal.means.value,
        "user": principal.user,
        "scopes": None if scopes is None else sorted(scopes),
    }


def user_shape(user: User) -> Shape:
    """A user."""
    return {
        "name": user.name,
        "role": user.role.value,
        "enabled": user.is_enabled,
        "created_at": time_text(user.created_at),
        "disabled_at": time_text(user.disabled_at),
    }


def session_shape(session: Session, *, by: Principal) -> Shape:
    """A session; `current` is the one that asks."""
    return {
        "id": session.key,
        "who": session.who,
        "role": session.role.value,
        "means": session.means.value,
        "created_at": time_text(session.created_at),
        "seen_at": time_text(session.seen_at),
        "ends_at": time_text(min(session.seen_at + IDLE, session.created_at + LONGEST)),
        "agent": session.agent,
        "address": session.address,
        "current": by.means is session.means and by.key == str(session.key),
    }


def token_shape(token: ApiToken, *, now: datetime) -> Shape:
    """A token, without what it is used by."""
    return {
        "id": token.id,
        "name": token.name,
        "owner": token.owner,
        "scopes": sorted(token.scopes),
        "created_at": time_text(token.created_at),
        "expires_at": time_text(token.expires_at),
        "used_at": time_text(token.used_at),
        "expired": token.is_over(now),
    }


def entry_shape(entry: AuditEntry) -> Shape:
    """An entry of the audit."""
    change = entry.change
    return {
        "id": entry.key,
        "at": time_text(entry.at),
        "who": entry.who,
        "means": entry.means.value,
        "address": entry.address,
        "what": change.what,
        "target": change.target,
        "before": None if change.before is None else dict(change.before),
        "after": None if change.after is None else dict(change.after),
        "changes": [
            {"field": one.field, "before": one.before, "after": one.after} for one in differences(change)
        ],
    }
