"""The SQL: connections, migrations, and named queries beside the modules that run them."""
