"""What a call answered, held against what it has to answer."""

import re
import sys

# A member that must not be there at all.
ABSENT = object()
# An integer of any size. Times, counts of changes and the like differ from run to run.
INTEGER = object()


def ok(**members):
    """A call that succeeded."""
    return {"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "", **members}


def fail(code, **members):
    """A call that was refused. The reason must be given in words; which ones, is not for programs."""
    return {"ActionStatus": "FAIL", "ErrorCode": code, "ErrorInfo": re.compile(".+"), **members}


def item(user, code=0, info="", **members):
    """What became of one account of many."""
    return {"To_Account": user, "ResultCode": code, "ResultInfo": info, **members}


def item_failed(user, code, **members):
    """The same, where the reason is given in words that nobody documented."""
    return {"To_Account": user, "ResultCode": code, "ResultInfo": re.compile(".+"), **members}


def differences(expected, answer, place="the answer"):
    """Where the two differ, in words. Members that nothing is said about may be there: SDKs ignore them."""
    if expected is INTEGER:
        return [] if type(answer) is int else [f"{place} is {answer!r}, not an integer"]
    if isinstance(expected, re.Pattern):
        fits = isinstance(answer, str) and expected.fullmatch(answer)
        return [] if fits else [f"{place} is {answer!r}, not of the form {expected.pattern!r}"]
    # `1 == True` and `1 == 1.0` in Python. In the languages of strict clients they are not the same.
    if type(expected) is not type(answer):
        return [f"{place} is {answer!r}, not {expected!r}"]
    if isinstance(expected, dict):
        return [text for name, value in expected.items() for text in member(name, value, answer, place)]
    if isinstance(expected, list):
        if len(expected) != len(answer):
            return [f"{place} has {len(answer)} entries, not {len(expected)}: {answer!r}"]
        pairs = enumerate(zip(expected, answer))
        return [text for at, (one, other) in pairs for text in differences(one, other, f"{place}[{at}]")]
    return [] if expected == answer else [f"{place} is {answer!r}, not {expected!r}"]


def member(name, expected, answer, place):
    if expected is ABSENT:
        return [f"{place}.{name} is {answer[name]!r}, and should be absent"] if name in answer else []
    if name not in answer:
        return [f"{place}.{name} is absent"]
    return differences(expected, answer[name], f"{place}.{name}")


def by_account(entries):
    """Entries in an order that does not depend on the server's."""
    return sorted(entries, key=lambda entry: entry["To_Account"])


def by_tag(entries):
    """Tags and values as a mapping, since their order means nothing."""
    return {entry["Tag"]: entry["Value"] for entry in entries}


class Calls:
    """The calls of one SDK, in the order in which they are made. The first wrong answer ends the program."""

    def __init__(self, sdk):
        self.sdk = sdk
        self.count = 0

    def check(self, what, answer, expected):
        self.count += 1
        wrong = differences(expected, answer)
        if wrong:
            print(f"{self.sdk}: {what}: WRONG", flush=True)
            sys.exit(f"{self.sdk}: {what}: {'; '.join(wrong)}\nThe whole answer: {answer!r}")
        print(f"{self.sdk}: {what}: ok", flush=True)
        return answer
