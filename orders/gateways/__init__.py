"""The foreign systems for money and parcels: one port each, chosen by the setting `ORDERS`.

What they do, no roll-back undoes. So each effect has a key, made of the order it is for and not of
who asks: a repetition, a second process or an operator asks for the same effect, which happens
once. They are asked outside of any transaction; `handlers` records what they answer.
"""
