"""What slugs of states, channels and reasons are called on the screen."""

from collections.abc import Iterable

from callcenter.web.said import Said
from screenpop.i18n import Language
from screenpop.i18n import mark as _

PRESENCE = {
    "on_queue": _("On queue"),
    "break": _("Break"),
    "meal": _("Meal"),
    "meeting": _("Meeting"),
    "training": _("Training"),
    "available": _("Available, not on queue"),
    "busy": _("Busy"),
    "away": _("Away"),
    "out_of_office": _("Out of office"),
    "offline": _("Offline"),
}
# Ready-made reasons under a break; an agent may type another one.
BREAK_REASONS = {"coffee": _("Coffee"), "restroom": _("Restroom"), "personal": _("Personal")}
ROUTING = {
    "off_queue": _("Off queue"),
    "idle": _("Idle"),
    "offered": _("Ringing"),
    "interacting": _("In contact"),
    "wrap_up": _("Wrap-up"),
    "not_responding": _("Not responding"),
    "private_call": _("Private call"),
}
CHANNEL = {
    "phone": _("Call"),
    "email": _("Mail"),
    "chat": _("Chat"),
    "form": _("Form"),
    "callback": _("Callback"),
    "visit": _("Visit"),
    "letter": _("Letter"),
    "fax": _("Fax"),
    "message": _("Message"),
    "ticket": _("Ticket"),
    "task": _("Task"),
}
# What a notice is about that is neither a clock of a ticket nor what happened to it.
NOTICE = {
    "review": _("Review is due"),
    "rule": _("A rule asks you to look"),
    "task_assigned": _("New task for you"),
    "task_reminded": _("Task due soon"),
    "task_overdue": _("Task overdue"),
}
TASK = {"waiting": _("waits its turn"), "open": _("to do"), "done": _("done"), "cancelled": _("cancelled")}
CERTAINTY = {"verified": _("verified"), "known": _("known"), "maybe": _("maybe")}
CERTAINTY_MEANS = {
    "verified": _("Proven, or confirmed by a colleague more than once"),
    "known": _("Given by the customer or chosen by a colleague"),
    "maybe": _("A guess: ask before you rely on it"),
}
OUTCOME = {
    "handled": _("handled"),
    "abandoned": _("gave up waiting"),
    "short_abandoned": _("hung up at once"),
    "flow_out": _("closed or moved on"),
    "missed": _("missed"),
    "failed": _("failed"),
    "unknown": _("end unknown"),
}
DISPOSITION = {
    "solved": _("Solved"),
    "call_back": _("Call back"),
    "callback": _("Call back"),
    "follow_up": _("Follow-up"),
    "escalated": _("Escalated"),
    "wrong_number": _("Wrong number"),
    "no_answer": _("No answer"),
    "information": _("Information given"),
    "complaint": _("Complaint"),
    "order": _("Order"),
    "refund": _("Refund"),
    "sale": _("Sale"),
    "sold": _("Sold"),
    "spam": _("Spam"),
    "other": _("Other"),
    "timed_out": _("Time ran out"),
    "part_sent": _("Part sent"),
    "replaced": _("Replaced"),
    "technician_booked": _("Technician booked"),
    "invoice_sent": _("Invoice sent"),
    "visit_booked": _("Visit booked"),
    "visit_moved": _("Visit moved"),
    "visit_done": _("Visit done"),
    "part_ordered": _("Part ordered"),
    "nobody_home": _("Nobody at home"),
    "offer_sent": _("Offer sent"),
    "delivery_agreed": _("Delivery agreed"),
    "shipment_traced": _("Shipment traced"),
}
TICKET_STATE = {
    "new": _("new"),
    "open": _("open"),
    "pending": _("waits for the customer"),
    "on_hold": _("on hold"),
    "resolved": _("resolved"),
    "closed": _("closed"),
}
# What happened to a ticket that somebody follows, or that was theirs.
NEWS = {
    **TICKET_STATE,
    "reopened": _("reopened"),
    "replied": _("new reply or note"),
    "linked": _("new contact"),
    "merged": _("merged"),
}
PRIORITY = {"low": _("low"), "normal": _("normal"), "high": _("high"), "urgent": _("urgent")}
TICKET_FIELD = {
    "subject": _("subject"),
    "state": _("state"),
    "priority": _("priority"),
    "category": _("category"),
    "queue": _("queue"),
    "owner": _("owner"),
    "customer": _("customer"),
    "replied": _("the conversation"),
    "interactions": _("linked contacts"),
    "type": _("type"),
    "tags": _("tags"),
    "followers": _("followers"),
    "customers": _("more customers"),
    "parent": _("parent ticket"),
    "related": _("related tickets"),
    "messages": _("texts"),
    "merged": _("merged tickets"),
    "merged_into": _("merged into"),
}
# What another ticket is to this one.
KIN = {
    "merged_into": _("Merged into"),
    "parent": _("Above it"),
    "child": _("Below it"),
    "related": _("Related"),
    "split_from": _("Split from"),
    "split_to": _("Split off"),
    "merged": _("Merged into this one"),
}
TIE = {
    "relate": _("has to do with"),
    "parent": _("stands below"),
    "merge": _("is merged into"),
}
TICKET_LIST = {
    "mine": _("My open tickets"),
    "queue": _("Open in a queue"),
    "unassigned": _("Without an owner"),
    "breached": _("Running late"),
    "waiting": _("Waiting for the customer"),
    "customer": _("Of one customer"),
    "words": _("Found by words"),
}
TICKET_ORDER = {
    "due": _("What is owed next"),
    "newest": _("Newest first"),
    "oldest": _("Oldest first"),
    "quiet": _("Longest without a change"),
}
# What a text of a ticket is.
NOTE, ANSWER, QUESTION = _("Note"), _("Answer"), _("From the customer")
CLOCK = {
    "own": _("Owner"),
    "first_response": _("First answer"),
    "next_response": _("Next answer"),
    "resolution": _("Solution"),
    "task": _("Task"),
    "contract": _("End of the contract"),
}
TIER = {"gold": _("Gold"), "silver": _("Silver"), "bronze": _("Bronze"), "platinum": _("Platinum")}
CONTRACT_STATE = {
    "coming": _("not yet in force"),
    "in_force": _("in force"),
    "ended": _("ended"),
    "cancelled": _("cancelled"),
}
CONTRACT_DUTY = {"visit": _("Visit planned"), "renewal": _("Reminder of the renewal")}
QUOTA_UNIT = {"cases": _("cases"), "minutes": _("minutes")}
QUOTA_PERIOD = {
    "month": _("a month"),
    "quarter": _("a quarter"),
    "year": _("a year"),
    "term": _("for the whole contract"),
}
STAGE = {
    "prospect": _("Prospect"),
    "new": _("New customer"),
    "active": _("Active customer"),
    "at_risk": _("At risk of leaving"),
    "lapsed": _("Lapsed customer"),
    "won_back": _("Won back"),
}
ADDRESS_KIND = {"phone": _("Phone"), "email": _("Mail"), "web": _("Web"), "fax": _("Fax"), "external": _("External id")}
# Why the router chose this agent; `reserved.reason` in the contact log.
REASON = {
    "longest_idle": _("You have been idle longest"),
    "only": _("You are the only one free"),
    "only_candidate": _("You are the only one free"),
    "best_skill": _("You know this subject best"),
    "weighted": _("Your idle time and skills together put you first"),
    "fewest": _("You have had the fewest contacts"),
    "round_robin": _("It is your turn"),
    "preferred": _("The customer knows you"),
    "transfer": _("A colleague transferred it to you"),
    "assigned": _("A supervisor chose you"),
}
SOLUTION_STATE = {"draft": _("draft"), "published": _("published"), "retired": _("retired")}
ROLE = {"agent": _("Agent"), "supervisor": _("Supervisor"), "administrator": _("Administrator")}
STATUS_TITLE = {
    "400": _("Not understood"),
    "401": _("Sign in first"),
    "403": _("Not for you"),
    "404": _("Nothing is here"),
    "405": _("Not done that way"),
    "409": _("Somebody was quicker"),
    "412": _("Somebody was quicker"),
    "413": _("Too much at once"),
    "422": _("That does not fit"),
    "429": _("Too many tries"),
    "500": _("That is our fault"),
    "503": _("Out of reach for a moment"),
}
STATUS = {
    "400": _("What was sent cannot be read."),
    "401": _("Sign in and try again."),
    "403": _("Your role does not allow this."),
    "404": _("It does not exist, or not any more."),
    "405": _("This address does not take what was sent."),
    "409": _("It has changed meanwhile; look again."),
    "412": _("It has changed meanwhile; look again."),
    "413": _("That is too much at once."),
    "422": _("Something in it is not right."),
    "429": _("Too many tries; wait a little."),
    "500": _("Something went wrong on our side."),
    "503": _("The database is out of reach for a moment; try again."),
}
# Sentences of refusals that agents meet, so that they have translations.
REFUSALS = (
    _("Say in a few words what it was about."),
    _("Choose what it was."),
    _("It lasted between nothing and a day."),
    _("It is not over yet: it is noted when it is."),
    _("That is more than a year ago."),
    _("That is no date and time."),
    _("There is no ticket to answer on; open one first."),
    _("Nothing can be written back to a contact of this kind."),
    _("It came through no gateway that takes answers."),
    _("Nobody has taken this chat yet."),
    _("Nobody is called outside the opening hours."),
    _("Whoever has this number does not want to be called."),
    _("This is being called already."),
    _("This contact has no pages."),
    _("The pages of this fax cannot be shown; download the attachment."),
    _("There is no such notice."),
    _("Choose what came of it."),
    _("This offer is no longer open."),
    _("There is nothing to wrap up."),
    _("This queue's wrap-up lasts until its time is over."),
    _("You do not have this contact in hand."),
    _("This contact is not in hand any more."),
    _("This chat is over."),
    _("Tickets and tasks are passed on by changing whose they are."),
    _("They have this contact in hand already."),
    _("The agent has another offer, too much in hand for it, or takes none."),
    _("The name or the password is wrong."),
    _("The old password is not right."),
    _("The new password is the old one."),
    _("A password needs at least 10 characters."),
    _("A password needs at least five different characters."),
    _("This password is among those that everybody tries first."),
    _("A password must be more than the sign-in name with something added."),
    _("A customer needs a name."),
    _("A ticket needs a subject."),
    _("A ticket is new only once."),
    _("Write something."),
    _("The ticket is closed; reopen it to answer."),
    _("Choose 1 to 200 tickets."),
    _("Say what is to be changed."),
    _("Choose one of the list."),
    _("Write the number of a ticket."),
    _("A ticket cannot be merged into itself."),
    _("A ticket has to do with itself anyway."),
    _("This macro is gone; load the page again."),
    _("A tag has 1 to 50 characters and no comma."),
    _("You have a list of this name."),
    _("Only supervisors share lists with everybody."),
    _("This list takes longer than 2 seconds to find: narrow it down, or choose another order."),
    _("At most 8 words are searched for at once."),
    _("This search takes longer than 2 seconds; add a rarer word."),
    _("Which version was seen is missing; load the page again."),
    _("Only characters that can be printed."),
    _("That is neither a phone number nor a mail address."),
    _("That is no mail address."),
    _("This is a mailbox of our own."),
    _("A note is for us; it goes to no address."),
    _("The telephone that has this call is not connected to this server."),
    _("It has left already, or waits already."),
    _("The call is taken by picking up the phone."),
    _("The new password was not the same twice."),
    _("A password has at most 256 characters."),
    _("This is the work of somebody else."),
    _("It has gone out already."),
    _("At most 20 files go with a message."),
    _("One of the files is no longer here; choose it again."),
    _("So many files are waiting to be sent; send those first."),
    _("It is not waiting in a queue."),
    _("It is not waiting in a queue, or the agent has another offer, too much in hand for it, or takes none."),
    _("The agent has no phone to take a call with."),
    _("This calibration has ended; all grades are known."),
    _("This queue takes no more work."),
    _("Choose one of the answers."),
    _("This answer can no longer be changed."),
    _("The comment is too long."),
    _("This link is not whole; open it from the mail once more."),
    _("This link is no longer good."),
    _("Somebody else changed this article meanwhile; look at what it says now."),
    _("A supervisor publishes; what you wrote is kept as a proposal."),
    _("Only a supervisor changes this article's properties."),
    _("An article needs a title."),
    _("Write something."),
    _("A language is written like en or zh_CN."),
    _("That is no date."),
    _("A tag is one line of at most 40 characters, without commas."),
    _("That was often; wait a moment."),
    _("The proof is missing that this comes from our own page (X-CSRF-Token); load the page again."),
)


def in_language(said: Iterable[Said], language: Language) -> list[str]:
    """Sentences of ours for a reader; what agents do is named as everywhere."""

    def translate(text: str) -> str:
        slug = text.replace(" ", "_")
        names = ROUTING if slug in ROUTING else PRESENCE
        return language.label(names, slug) if slug in names else language.gettext(text)

    return [each.put(translate) for each in said]
