"""Physiology of breathing, oxygen and circulation: one module per publication, one relation per function.

``spencer1979`` is gas content of blood, ``mann2022`` the published model of opioid overdose and rescue. A rival
physiology is a module beside them.
"""
