"""Attaching clusters to real API servers; README.md describes the endpoints."""

from __future__ import annotations

import threading
from pathlib import Path

from local_aws.account import Account
from local_aws.control.endpoints import Control, Order, endpoint, region_of
from local_aws.eks.clusters import show_where_served
from local_aws.kubernetes.beds import publish
from local_aws.kubernetes.reviews import Reviews
from local_aws.wire.http_server import Server


@endpoint("POST", "kubernetes/beds")
def add_bed(control: Control, account: Account, order: Order) -> Order:
    bed = control.gateway.beds.add(order["endpoint"], order["certificate_authority"], Path(order["associations"]))
    reviews = Reviews(control.gateway, bed)
    certificate = (order["serving_certificate"], order["serving_key"])
    server = Server(0, reviews.handle, certificate)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def close() -> None:
        server.shutdown()
        server.server_close()

    bed.close = close
    return {"id": bed.id, "url": server.url}


@endpoint("DELETE", "kubernetes/beds")
def end_bed(control: Control, account: Account, order: Order) -> Order:
    bed = control.gateway.beds.take(order["id"])
    detached = 0
    for holder in control.gateway.accounts.all():
        with holder.lock:
            for region, name in [cluster for cluster, served_by in holder.kubernetes.items() if served_by is bed]:
                del holder.kubernetes[region, name]
                show_where_served(control.gateway.scene(holder, region), name)
                detached += 1
    bed.close()
    return {"detached": detached}


@endpoint("POST", "kubernetes")
def attach(control: Control, account: Account, order: Order) -> Order:
    bed, region, name = control.gateway.beds.get(order["bed"]), region_of(order), order["cluster"]
    with account.lock:
        account.kubernetes[region, name] = bed
        show_where_served(control.gateway.scene(account, region), name)
        publish(account)
    return {"endpoint": bed.endpoint, "certificate_authority": bed.certificate_authority}


@endpoint("DELETE", "kubernetes")
def detach(control: Control, account: Account, order: Order) -> Order:
    region, name = region_of(order), order["cluster"]
    with account.lock:
        bed = account.kubernetes.pop((region, name), None)
        show_where_served(control.gateway.scene(account, region), name)
        publish(account, {(region, name): bed} if bed is not None else None)
    return {"detached": bed is not None}
