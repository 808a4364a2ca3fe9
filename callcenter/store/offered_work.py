"""What the work that a queue offers by itself is about, and which offers are not as they should be."""

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
