"""Engines that run the parts of a trial: this process, processes of this machine, or a Dask cluster.

An engine is a function that takes jobs and yields their results in any order.
"""

from __future__ import annotations

import ipaddress
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from schild.errors import InputError, needed

#: Function of a function and the arguments of each job; it yields the number and result of each job, in any order.
Engine: TypeAlias = Callable[[Callable[..., Any], Sequence[tuple[Any, ...]]], Iterator[tuple[int, Any]]]


def engine_of(workers: int = 1, cluster: str | None = None) -> Engine:
    """Choose how parts are computed: in this process, in several, or on a cluster.

    ``workers``: processes of this machine; ``cluster``: address of a Dask scheduler, ``tls://HOST:8786``, or
    ``tcp://`` on this machine alone. Raises InputError for an address that is not understood or not protected.
    """
    if cluster is not None:
        return _dask(cluster)
    return _here if workers == 1 else _processes(workers)


def _here(make: Callable[..., Any], jobs: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
    for k, job in enumerate(jobs):
        yield k, make(*job)


def _end_with_parent() -> None:
    """End a worker when its parent ends in any way; keyboard interrupts reach the parent only."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None  # a worker has one

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _processes(workers: int) -> Engine:
    def run(make: Callable[..., Any], jobs: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        if len(jobs) < 2:
            yield from _here(make, jobs)
            return
        # New processes: a fork of a process with threads may hang.
        with ProcessPoolExecutor(
            min(workers, len(jobs)), mp_context=get_context("spawn"), initializer=_end_with_parent
        ) as pool:
            futures = {pool.submit(make, *job): k for k, job in enumerate(jobs)}
            try:
                for future in as_completed(futures):
                    yield futures[future], future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    return run


#: Longest wait for a scheduler, and for its first worker [s].
_WAIT_S = 20


def _dask(address: str) -> Engine:
    where = urlsplit(address)
    try:
        known = where.scheme in ("tls", "tcp") and where.hostname and where.port
    except ValueError:  # an impossible port
        known = None
    if not known:
        raise InputError(f"{address!r} is not a cluster's address; expected one like tls://scheduler.example:8786.")
    try:
        own = where.hostname == "localhost" or ipaddress.ip_address(where.hostname or "").is_loopback
    except ValueError:
        own = False
    if where.scheme == "tcp" and not own:
        raise InputError(
            f"{address} is not protected: whoever reaches a Dask scheduler without TLS can run programs on it. "
            "Expected tls://, or tcp:// on this machine alone."
        )
    (distributed,) = needed("cluster", "A cluster, on this machine, the scheduler and its workers,", "distributed")
    security: Any = distributed.Security()
    if where.scheme == "tls" and not (security.tls_ca_file and security.tls_client_cert):
        raise InputError(
            f"{address} asks for certificates, and the configuration of Dask names none; expected "
            "distributed.comm.tls with ca-file, client.cert and client.key. The documentation of trials shows the file."
        )

    def run(make: Callable[..., Any], jobs: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        try:
            client = distributed.Client(address, timeout=_WAIT_S, security=security)
        except (OSError, TimeoutError) as error:
            raise InputError(
                f"No scheduler answers at {address} ({error}). Start one, with certificates of the same authority if "
                "it is tls://, or leave --cluster out."
            ) from None
        with client:
            try:
                client.wait_for_workers(1, timeout=_WAIT_S)
            except TimeoutError:
                raise InputError(
                    f"The scheduler at {address} has no workers; expected one at least. Start them with "
                    f"dask worker {address}."
                ) from None
            futures = {client.submit(make, *job, pure=False, retries=3): k for k, job in enumerate(jobs)}
            try:
                for future in distributed.as_completed(list(futures)):
                    yield futures[future], future.result()
            except BaseException:
                client.cancel(list(futures))
                raise

    return run
