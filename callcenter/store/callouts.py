"""Calls to people who are to know of a ticket: the queries."""

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
