"""Releases a version in a process of its own: `python deployer.py <settings as JSON> <version>`."""

import sys

from esteira.deploy.release import ask_golden, build, retire, start, switch
from esteira.settings import Settings

if __name__ == "__main__":
    settings = Settings.model_validate_json(sys.argv[1])
    built = build("tiny", int(sys.argv[2]), settings)
    retire(switch(ask_golden(start(built, settings), settings), settings), settings)
