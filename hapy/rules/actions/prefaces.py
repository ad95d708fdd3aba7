"""Actions that say what a client's connection begins with (configuration manual, `tcp-request connection`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.rules.registry import CONNECTION, Action, Arguments, action

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction


@action("expect-proxy", CONNECTION)
def _expect_proxy(args: Arguments) -> Action:
    def expect_proxy(txn: Transaction) -> None:
        preface = txn.client.preface
        if preface is not None:
            preface.proxy = True

    return expect_proxy


@action("expect-netscaler-cip", CONNECTION)
def _expect_netscaler(args: Arguments) -> Action:
    def expect_netscaler(txn: Transaction) -> None:
        preface = txn.client.preface
        if preface is not None:
            preface.netscaler = True

    return expect_netscaler
