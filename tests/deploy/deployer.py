"""Releases a version in a process of its own: `python deployer.py <settings as JSON> <version>`."""

import sys

from esteira.deploy.release import build, start_and_verify, switch
from esteira.settings import Settings

if __name__ == "__main__":
    settings = Settings.model_validate_json(sys.argv[1])
    switch(start_and_verify(build("tiny", int(sys.argv[2]), settings), settings), settings)
