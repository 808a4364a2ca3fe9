"""Writes migrations/schema.sql from the migrations, with a database that lives only for this."""

import asyncio
import tempfile
from pathlib import Path

from callcenter.store.db import connect
from callcenter.store.embedded import embedded
from callcenter.store.migrate import dump_schema, migrate, our_source


async def main() -> None:
    """Migrate an empty database and describe it."""
    with tempfile.TemporaryDirectory(prefix="callcenter-schema-") as home:
        Path(home).chmod(0o755)  # as root the server runs as another user
        async with embedded(Path(home), durable=False) as dsn:
            conn = await connect(dsn)
            try:
                await migrate(conn)
                text = await dump_schema(conn)
            finally:
                await conn.close()
    (our_source().migrations / "schema.sql").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
