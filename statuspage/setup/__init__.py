"""What the page is made of: its settings, components and groups, contacts and severity scheme.

Each thing that people edit has a frozen dataclass with the fields that they edit, so that a form
can say what it saw: :func:`fingerprint` of it comes back with the form, and a change that somebody
else made meanwhile raises :class:`~statuspage.refusals.Stale` instead of being lost.
"""

from statuspage.setup.colleagues import add_contact, change_contact, contacts, remove_contact
from statuspage.setup.components import (
    Direction,
    add_component,
    add_group,
    change_component,
    change_group,
    move_component,
    move_group,
    open_stories_by_component,
    present,
    remove_component,
    remove_group,
    removed_components,
    restore_component,
    set_component_status,
    top_level,
)
from statuspage.setup.editing import (
    ComponentDetails,
    ContactDetails,
    Editable,
    GroupDetails,
    LevelRules,
    PageSettings,
    fingerprint,
    first_settings,
    read_as,
)
from statuspage.setup.incident_templates import (
    Template,
    TemplateDetails,
    components_of,
    find_template,
    incident_templates,
    remove_template,
    removed_templates,
    restore_template,
    save_template,
)
from statuspage.setup.look import (
    LookChoices,
    change_look,
    look_choices,
    remove_logo,
    set_logo,
    sort_choices,
)
from statuspage.setup.names import worth_a_look
from statuspage.setup.own_words import WordLists, change_own_words, own_words, word_lists
from statuspage.setup.page import change_page, ensure_page, read_outline, set_up_page, the_page
from statuspage.setup.scheme import change_level, choose_scheme

__all__ = [
    "ComponentDetails",
    "ContactDetails",
    "Direction",
    "Editable",
    "GroupDetails",
    "LevelRules",
    "LookChoices",
    "PageSettings",
    "Template",
    "TemplateDetails",
    "WordLists",
    "add_component",
    "add_contact",
    "add_group",
    "change_component",
    "change_contact",
    "change_group",
    "change_level",
    "change_look",
    "change_own_words",
    "change_page",
    "choose_scheme",
    "components_of",
    "contacts",
    "ensure_page",
    "find_template",
    "fingerprint",
    "first_settings",
    "incident_templates",
    "look_choices",
    "move_component",
    "move_group",
    "open_stories_by_component",
    "own_words",
    "present",
    "read_as",
    "read_outline",
    "remove_component",
    "remove_contact",
    "remove_group",
    "remove_logo",
    "remove_template",
    "removed_components",
    "removed_templates",
    "restore_component",
    "restore_template",
    "save_template",
    "set_component_status",
    "set_logo",
    "set_up_page",
    "sort_choices",
    "the_page",
    "top_level",
    "word_lists",
    "worth_a_look",
]
