"""What customers send from web pages: its rows."""

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
