"""Where the command begins. A worker process imports this module anew before its work, so it has nothing else."""

import sys
from importlib import import_module


def main() -> int:
    code: int = import_module("callcenter.cli").main()
    return code


if __name__ == "__main__":
    sys.exit(main())
