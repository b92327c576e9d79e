"""How people get in: accounts for cadres, liaisons and members, one by one (`actions`) or by a table (`people`).

Here, on the top floor, because an account is made together with what its person holds: a post of the grid, a role in a
unit, a place among the members. All of it is the county administrator's work, audited, and without any SMS: first
passwords are handed over in person (`handout`).
"""
