"""Asks the Asterisk of a golden box one thing over AMI: `python -m tests.golden.ami_ask Action Key=value…`, run in its
network. Prints the answer as JSON."""

import json
import sys

from tests.lab.ami import Ami


def main() -> None:
    ami = Ami("127.0.0.1", "sa800", "AmiSecretOfTheTests")
    name, *pairs = sys.argv[1:]
    json.dump(ami.action(name, None, **dict(pair.split("=", 1) for pair in pairs)), sys.stdout)
    ami.close()


main()
