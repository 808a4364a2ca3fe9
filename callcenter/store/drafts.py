"""The rows of drafts."""

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
