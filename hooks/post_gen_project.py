"""Keep the files of the chosen options, remove those of all others, and say what comes next.

cookiecutter renders this file, then runs it inside the new service's folder.
"""

import os
import shlex
import shutil
import sys
from io import TextIOWrapper
from pathlib import Path

CHOSEN = {
    "database": "{{ cookiecutter.database }}",
    "broker": "{{ cookiecutter.broker }}",
    "licence": "{{ cookiecutter.licence }}",
    "ci": "{{ cookiecutter.ci }}",
}

# cruft also bakes to compare, into folders that it deletes: it is told nothing.
BY_CRUFT = bool("{{ '' if '_output_dir' in cookiecutter else 'yes' }}")

# Files and folders that exist in a service only if one of their options was chosen.
FILES_OF_OPTION = {
    "sqlite": ["app/building_blocks/databases/sqlite.py", "tests/test_sqlite.py"],
    "postgresql": [
        "app/building_blocks/databases/liveness.py",
        "app/building_blocks/databases/postgresql.py",
        "tests/test_idle_connections.py",
        "tests/test_postgresql.py",
    ],
    "mysql": [
        "app/building_blocks/databases/liveness.py",
        "app/building_blocks/databases/mysql.py",
        "tests/test_idle_connections.py",
        "tests/test_mysql.py",
    ],
    "rabbitmq": [
        "app/building_blocks/brokers/rabbitmq",
        "tests/broker",
        "tests/broker/rabbitmq",
    ],
    "kafka": [
        "app/building_blocks/brokers/kafka",
        "tests/broker",
        "tests/broker/kafka",
    ],
    "nats": [
        "app/building_blocks/brokers/nats",
        "nats.conf",
        "tests/broker",
        "tests/broker/nats",
        "tests/broker/own_server.py",
    ],
    "redis": [
        "app/building_blocks/brokers/redis",
        "tests/broker",
        "tests/broker/redis",
        "tests/broker/own_server.py",
    ],
    "github": [".github"],
    "github-reusable": [".github"],
}
# What an option cannot use. SQLite and the in-memory broker live in one process: a cluster that
# starts several would only seem to work.
FILES_NOT_FOR_OPTION = {"sqlite": ["deploy/kubernetes"], "memory": ["deploy/kubernetes"]}
# What running the template where it stands, or its tools, leave among its sources.
CACHES = (
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".import_linter_cache",
    ".hypothesis",
)
# Modules that are there for the defaults, and where they lie as the other choices want them.
VARIANTS = {
    "app/database.py": "app/options/database_{database}.py",
    "app/broker.py": "app/options/broker_{broker}.py",
    "migrations/versions/0003_claims_without_an_index.py": "migrations/options/0003_{database}.py",
    "tests/scratch_database.py": "tests/options/scratch_database_{database}.py",
    "tests/own_broker.py": "tests/options/own_broker_{broker}.py",
    "LICENSE": "licences/{licence}",
    ".github/workflows/ci.yml": ".github/options/ci_{ci}.yml",
}


def keep_chosen_variants() -> None:
    """Put the chosen variant of each module in the place of the default."""
    for module, variant in VARIANTS.items():
        chosen = Path(variant.format(**CHOSEN))
        if chosen.exists():
            chosen.replace(module)
    for folder in {Path(variant).parent for variant in VARIANTS.values()}:
        shutil.rmtree(folder, ignore_errors=True)


def remove_files_of_other_options() -> None:
    """Remove what only an option that was not chosen needs, and what a chosen one cannot use."""
    kept = {path for option in CHOSEN.values() for path in FILES_OF_OPTION.get(option, [])}
    removed = {path for paths in FILES_OF_OPTION.values() for path in paths} - kept
    removed |= {path for option in CHOSEN.values() for path in FILES_NOT_FOR_OPTION.get(option, [])}
    for path in removed:
        if Path(path).is_dir():
            shutil.rmtree(path)
        else:
            Path(path).unlink(missing_ok=True)


def remove_caches() -> None:
    """Remove every cache, wherever it lies."""
    for name in CACHES:
        for cache in list(Path().rglob(name)):
            shutil.rmtree(cache)


def say_what_comes_next() -> None:
    """Print where the service is, and what to type to see it run."""
    here = Path.cwd()
    servers = [name for name in ("database", "broker") if CHOSEN[name] not in ("sqlite", "memory")]
    commands = ["cd " + (shlex.quote(str(here)) if os.name == "posix" else f'"{here}"')]
    if servers:
        commands.append(f"docker compose up --detach --wait {' '.join(servers)}")
    commands.append("make run")
    print(f"Your service is in {here}. What to type next:\n")
    print("\n".join(f"    {command}" for command in commands))
    print("\nIts README.md says what it does then, and how to run it without make.")


keep_chosen_variants()
remove_files_of_other_options()
remove_caches()
if not BY_CRUFT:
    if isinstance(sys.stdout, TextIOWrapper):
        # A console that cannot show a letter of the folder's name is no reason to fail.
        sys.stdout.reconfigure(errors="backslashreplace")
    say_what_comes_next()
