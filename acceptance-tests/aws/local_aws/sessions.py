"""The secrets of the credentials that were given out: what is signed with them can be checked."""

from __future__ import annotations

from dataclasses import dataclass

# The secret of every long-term key, since the key alone decides the account.
SECRET_ACCESS_KEY = "not-a-secret"


@dataclass(frozen=True)
class Session:
    """What AssumeRole gave out."""

    access_key: str
    secret: str
    role_arn: str
    # The unique id of the role, and the name of the session behind a colon.
    user_id: str
    name: str

    @property
    def arn(self) -> str:
        """The principal as STS and IAM's errors name it: without the path of the role."""
        partition, account = self.role_arn.split(":")[1], self.role_arn.split(":")[4]
        return f"arn:{partition}:sts::{account}:assumed-role/{self.role_arn.rpartition('/')[2]}/{self.name}"


# By session token. Role and caller may be in different accounts, so no account keeps them.
_SESSIONS: dict[str, Session] = {}


def remember(token: str, session: Session) -> None:
    _SESSIONS[token] = session


def find(token: str | None, access_key: str) -> Session | None:
    session = _SESSIONS.get(token) if token else None
    return session if session is not None and session.access_key == access_key else None
