"""Mail that came in: its rows."""

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
