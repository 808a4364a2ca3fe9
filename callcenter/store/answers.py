"""Answers by mail, and the letters that carry them."""

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
