"""The databases of a server, as an operator or a disaster would touch them from outside. One class for each engine, with
the same methods; a store is called after its plugin. While the server runs only `value` may be used."""
import json
import os
import shutil
import sqlite3
import subprocess

from program import wait_for


class SqliteStores:
    def __init__(self, folder):
        self.folder = folder
        self.kept = folder + ".kept"

    def close(self):
        """After the server; its folder goes, and these with it."""

    def _file(self, plugin):
        return os.path.join(self.folder, plugin + ".db")

    def _files_of(self, plugin, folder):
        """The database and what SQLite keeps beside it."""
        return [os.path.join(folder, name) for name in os.listdir(folder) if name.startswith(plugin + ".db")]

    def value(self, plugin, sql):
        """The first column of the first row."""
        database = sqlite3.connect(f"file:{self._file(plugin)}?mode=ro", uri=True, timeout=30)
        try:
            return database.execute(sql).fetchone()[0]
        finally:
            database.close()

    def execute(self, plugin, sql):
        database = sqlite3.connect(self._file(plugin), timeout=30)
        with database:
            database.execute(sql)
        database.close()

    def keep(self):
        """A copy of all, for put_back."""
        shutil.copytree(self.folder, self.kept)

    def put_back(self, *plugins):
        """They are what they were at keep(); all, or those that are named."""
        if not plugins:
            shutil.rmtree(self.folder)
            shutil.copytree(self.kept, self.folder)
        for plugin in plugins:
            self.remove(plugin)
            for path in self._files_of(plugin, self.kept):
                shutil.copy2(path, self.folder)

    def remove(self, plugin):
        """As if it had never been."""
        gone = self._files_of(plugin, self.folder)
        assert gone, f"there is no database of {plugin}"
        for path in gone:
            os.remove(path)

    def spoil(self, plugin):
        """There is something in its place that is no database of the plugin; answers how messages call it."""
        os.makedirs(self.folder, exist_ok=True)
        with open(self._file(plugin), "wb") as out:
            out.write(b"this is no database" * 1000)
        return plugin + ".db"

    def hide(self, plugin):
        """It cannot be opened at all."""
        os.makedirs(self._file(plugin))


class PostgresqlStores:
    """A database of their own in a server that others use too; a schema each."""

    def __init__(self, server):
        self.server = server
        self.database = server.take_database()
        self.kept = {}
        self.connection = server.connection(self.database)

    def close(self):
        if self.database:
            self.server.give_back_database(self.database)

    def value(self, plugin, sql):
        row = self.server.psql(self.database, f"SET search_path TO {plugin}; SELECT to_json(row) FROM ({sql}) AS row LIMIT 1")
        return next(iter(json.loads(row).values()))

    def execute(self, plugin, sql):
        self.server.psql(self.database, f"SET search_path TO {plugin}; {sql}")

    def _wait_until_unused(self):
        """The sessions of a killed server end a moment after it."""
        wait_for("the server's sessions to end", lambda: not int(self.server.psql(
            "postgres", f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{self.database}'")))

    def keep(self):
        self._wait_until_unused()
        for schema in self.server.schemas(self.database):
            dump = self.server.command("pg_dump", "--schema", schema, self.database)
            self.kept[schema] = subprocess.run(dump, capture_output=True, check=True).stdout.decode()

    def put_back(self, *plugins):
        for plugin in plugins or self.server.schemas(self.database):
            self.remove(plugin)
        for plugin in plugins or self.kept:
            self.server.psql(self.database, self.kept[plugin])

    def remove(self, plugin):
        self._wait_until_unused()
        self.server.psql(self.database, f"DROP SCHEMA {plugin} CASCADE")

    def spoil(self, plugin):
        self.server.psql(self.database, f"CREATE SCHEMA {plugin}; CREATE TABLE {plugin}.bp_migrations (something TEXT)")
        return plugin

    def hide(self, plugin):
        del plugin  # they are all in this one
        self.server.psql("postgres", f"ALTER DATABASE {self.database} RENAME TO {self.database}_hidden")
        self.database = None
