"""Keep the files of the chosen options and remove those of all others.

cookiecutter renders this file, then runs it inside the new service's folder.
"""

import shutil
from pathlib import Path

CHOSEN = {"database": "{{ cookiecutter.database }}", "broker": "{{ cookiecutter.broker }}"}

# Files that exist in a service only if their option was chosen.
FILES_OF_OPTION = {
    "sqlite": ["app/building_blocks/databases/sqlite.py"],
    "postgresql": ["app/building_blocks/databases/postgresql.py", "tests/test_postgresql.py"],
    "mysql": ["app/building_blocks/databases/mysql.py"],
    "rabbitmq": [
        "app/building_blocks/brokers/rabbitmq.py",
        "app/building_blocks/brokers/rabbitmq_wire.py",
        "tests/test_rabbitmq.py",
    ],
}
# Modules that are there for the defaults, and where they lie as the other choices want them.
VARIANTS = {
    "app/database.py": "app/options/database_{database}.py",
    "app/broker.py": "app/options/broker_{broker}.py",
    "tests/scratch_database.py": "tests/options/scratch_database_{database}.py",
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
    """Remove what only an option that was not chosen needs."""
    for option, files in FILES_OF_OPTION.items():
        if option not in CHOSEN.values():
            for file in files:
                Path(file).unlink(missing_ok=True)


def remove_caches() -> None:
    """Remove byte code that running the template where it stands left among its sources."""
    for cache in list(Path("app").rglob("__pycache__")):
        shutil.rmtree(cache)


keep_chosen_variants()
remove_files_of_other_options()
remove_caches()
