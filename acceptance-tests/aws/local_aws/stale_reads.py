"""Answers of reads as they were before their last change."""

from __future__ import annotations

import re

from local_aws.account import Account
from local_aws.wire.answers import error_response
from local_aws.wire.call import Call
from local_aws.wire.message import Response

_REQUEST_ID = re.compile(rb"<[rR]equestI[dD]>[^<]*</[rR]equestI[dD]>")
_LARGEST = 65536

# What a service says of something it does not see yet.
_NOT_FOUND = {
    "eks": ("ResourceNotFoundException", "No resource found", 404),
    "iam": ("NoSuchEntity", "The entity cannot be found.", 404),
    "kms": ("NotFoundException", "The key does not exist", 400),
    "logs": ("ResourceNotFoundException", "The specified log group does not exist.", 400),
}


def _key(call: Call) -> str:
    return f"{call.region} {call.service} {call.operation} {call.request.path}?{call.request.query} {call.request.body!r}"


def _content(response: Response) -> bytes:
    return _REQUEST_ID.sub(b"", response.body)


def remember(account: Account, call: Call, response: Response) -> None:
    """Keeps the present answer, and the one before it that said something else."""
    if len(response.body) > _LARGEST or response.status >= 500:
        return
    key = _key(call)
    kept = account.answers.get(key)
    if kept is None:
        account.answers[key] = [response, None]
    elif _content(kept[0]) != _content(response):
        account.answers[key] = [response, kept[0]]


def stale_answer(account: Account, call: Call, response: Response) -> Response:
    kept = account.answers.get(_key(call))
    if kept is not None and _content(kept[0]) != _content(response):
        # It has changed since it was last read: what was read then is the stale answer.
        return kept[0]
    if kept is not None and kept[1] is not None:
        return kept[1]
    if call.operation.startswith("List") or call.service not in _NOT_FOUND:
        return response
    return error_response(call, *_NOT_FOUND[call.service])
