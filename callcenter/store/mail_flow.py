"""How much mail of one address sets going, and whose it is: its rows."""

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
