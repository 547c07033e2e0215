"""Soft demands, which only a judge can decide: a bank of entries as data, and how demands are drawn from it."""

from data_gen.soft.bank import SoftBank, SoftDimension, SoftEntry, Wording, parse_bank, soft_bank

__all__ = ["SoftBank", "SoftDimension", "SoftEntry", "Wording", "parse_bank", "soft_bank"]
