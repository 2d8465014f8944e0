"""Public server SDKs for Python against a running server, as they come from their registry.

Only the host and the certificate are other than in production. Every call of the packages about one-to-one messages,
accounts, profiles and relationships is made. The first wrong answer ends the program with a message and status 1.

    COUPLET_SDK_HOST   host of the server; its certificate must be for this name
    COUPLET_SDK_PORT   port of the server, which speaks TLS
    COUPLET_SDK_CA     PEM file with the authority of the certificate
    COUPLET_SDK_APPID  sdkappid of an app in which nothing happened yet, without a before-send callback
    COUPLET_SDK_KEY    key of the app
    COUPLET_SDK_ADMIN  an admin of the app
"""

import os
import sys
from typing import NamedTuple

# What is compiled would lie among the sources.
sys.dont_write_bytecode = True


class Server(NamedTuple):
    host: str
    port: int
    sdkappid: int
    key: str
    admin: str


def setting(name):
    try:
        return os.environ[name]
    except KeyError:
        sys.exit(f"{name} is not set.\n\n{__doc__}")


def server():
    # The HTTP client trusts whom this variable names, and must not leave the machine through a proxy.
    os.environ["REQUESTS_CA_BUNDLE"] = setting("COUPLET_SDK_CA")
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    return Server(
        host=setting("COUPLET_SDK_HOST"),
        port=int(setting("COUPLET_SDK_PORT")),
        sdkappid=int(setting("COUPLET_SDK_APPID")),
        key=setting("COUPLET_SDK_KEY"),
        admin=setting("COUPLET_SDK_ADMIN"),
    )


def main():
    target = server()
    # The packages read the environment when they are imported.
    import by_tencentcloud_im
    import by_timsdk

    calls = by_tencentcloud_im.run(target) + by_timsdk.run(target)
    print(f"{calls} calls of 2 SDKs were answered as they should be.")


if __name__ == "__main__":
    main()
