"""A private Asterisk on loopback, without root: `python -m tests.telephony.lab fetch | start | stop | status | cli`."""

import argparse
import sys
from pathlib import Path

from tests.telephony.lab.debian import Unavailable
from tests.telephony.lab.instance import Instance, Ports
from tests.telephony.lab.tree import NEWEST, default_cache, fetch


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.telephony.lab", description=__doc__)
    parser.add_argument(
        "--cache", type=Path, default=default_cache(), help="where fetched trees are kept (%(default)s)"
    )
    parser.add_argument("--suite", default=",".join(NEWEST), help="Debian suites to look for Asterisk in (%(default)s)")
    does = parser.add_subparsers(dest="what", required=True)
    does.add_parser("fetch", help="download and trim Asterisk").add_argument("--again", action="store_true")
    start = does.add_parser("start", help="start an instance and wait until it is booted")
    start.add_argument("--user", default="nobody", help="whom to run as when started by root (%(default)s)")
    start.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="replace @KEY@ in the templates")
    for name in ("sip", "ami", "http", "https", "trunk"):
        start.add_argument(f"--{name}-port", type=int, default=getattr(Ports(), name), help="(%(default)s)")
    start.add_argument("--agi-port", type=int, action="append", help="of the server to ask; several are tried in turn")
    start.add_argument("--rtp", default="20000-20999", help="range of ports (%(default)s)")
    for parser_of_one in (start, *(does.add_parser(name) for name in ("stop", "status", "cli"))):
        parser_of_one.add_argument("dir", type=Path, help="where the instance keeps its state, logs and recordings")
    does.choices["cli"].add_argument("command", nargs="+")
    args = parser.parse_args()
    try:
        return _do(args)
    except Unavailable as error:
        print("asterisk lab:", error, file=sys.stderr)
        return 1


def _do(args: argparse.Namespace) -> int:
    suites = args.suite.split(",")
    if args.what == "fetch":
        tree = fetch(args.cache, suites, again=args.again)
        print(tree.root, tree.note, sep="\n")
        return 0
    instance = Instance(args.dir.resolve())
    match args.what:
        case "start":
            low, high = args.rtp.split("-")
            named = {name: getattr(args, f"{name}_port") for name in ("sip", "ami", "http", "https", "trunk")}
            ports = Ports(**named, agi=tuple(args.agi_port or Ports().agi), rtp=(int(low), int(high)))
            values = dict(item.split("=", 1) for item in args.set)
            instance = Instance(args.dir.resolve(), ports, user=args.user, values=values)
            instance.start(fetch(args.cache, suites))
            print("running, pid", instance.pid, ports)
        case "stop":
            instance.stop()
        case "cli":
            print(instance.cli(" ".join(args.command)), end="")
        case _:
            print(f"running, pid {instance.pid}" if instance.pid else "stopped")
            return 0 if instance.pid else 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
