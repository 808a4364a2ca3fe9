"""The rows of work that another system hands in."""

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
