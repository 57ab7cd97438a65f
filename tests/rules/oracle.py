"""A second, slow reading of the rule, day by day and set by set, written from the text and not from the product's code.

It takes a case as plain JSON values and gives the exchange format. It shares nothing with the product: covered days are
sets, every calendar day is tried for `first_known_on`, and the few products below carry their figures by hand.
"""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from math import ceil

DAY = timedelta(days=1)
DEFAULT = {
    "mode": "cumulative",
    "limit_days": 7,
    "minor_age": 18,
    "minor_limit_days": None,
    "gap_days": 60,
    "gap_anchor": "supply_end",
    "window_days": None,
    "horizon_days": None,
    "overlap": "union",
    "basis": "projected",
    "count_pain_buprenorphine": False,
    "count_written": True,
    "written_expiry_days": 30,
    "exempt_categories": ["cancer", "sickle_cell", "hospice", "palliative", "ltc"],
    "established_days": None,
    "established_window": 120,
    "mme_table": "2022",
    "mme_overlap": "sum",
}
# code: (ingredient, class, MME per unit under 2016, under 2022); methadone under 2016 goes by tiers: its mg stand there
PRODUCTS = {
    "1049621": ("oxycodone", "counts", "7.5", "7.5"),  # oxycodone 5 mg tablet
    "1049683": ("oxycodone", "counts", "15", "15"),  # oxycodone 10 mg tablet
    "637540": ("oxycodone", "counts", "7.32", "7.32"),  # oxycodone 4.5 + 0.38 mg with aspirin
    "864706": ("methadone", "counts", "10", "47"),  # methadone 10 mg tablet
    "864718": ("methadone", "counts", "5", "23.5"),  # methadone 5 mg tablet
    "197696": ("fentanyl", "counts", "540", "540"),  # fentanyl 75 mcg/h patch
    "835603": ("tramadol", "counts", "5", "10"),  # tramadol 50 mg tablet
    "897696": ("hydromorphone", "counts", "8", "10"),  # hydromorphone 2 mg tablet
    "199789": ("pentazocine", "counts", "18.5", "18.5"),  # pentazocine 50 mg tablet
    "1487611": ("fentanyl", "counts", None, None),  # fentanyl topical solution: no factor
    "904870": ("buprenorphine", "pain", None, None),  # buprenorphine 10 mcg/h patch
    "1010600": ("buprenorphine", "excluded", None, None),  # buprenorphine with naloxone
    "1666837": ("fentanyl", "excluded", None, None),  # Ionsys
    "1487616": ("fentanyl", "excluded", None, None),  # Recuvyra
}


def evaluate(case):
    """Return the exchange format for one case."""
    as_of = day(case["as_of"])
    counted, ignored = select(case, as_of)
    episodes, required = assess(case, counted, as_of)
    for episode in episodes:
        episode["trigger_record"] = trigger(case, counted, episode, as_of)
    return {
        "id": case["id"],
        "counted": sorted(record["id"] for record in counted),
        "ignored": sorted([identity, reason] for identity, reason in ignored.items()),
        "episodes": [printed(episode) for episode in episodes],
        "pa_required": bool(required),
        "first_known_on": iso(first_known(case, as_of)),
        "mme": mme(case, counted, as_of),
    }


def day(text):
    return date.fromisoformat(text) if text else None


def iso(when):
    return when.isoformat() if when else None


def setting(case, name):
    return case["policy"].get(name, DEFAULT[name])


def supply(record):
    """Step 2."""
    if record["days_supply"] is not None:
        return record["days_supply"]
    if record["quantity"] is None or record["daily_units"] is None:
        return None
    quantity, daily = Fraction(str(record["quantity"])), Fraction(str(record["daily_units"]))
    return ceil(quantity / daily) if quantity > 0 and daily > 0 else None


def select(case, as_of):
    """Steps 1 to 5: the counted records in (start, id) order and the others with their reasons."""
    current = latest_versions(case, as_of)
    ignored = {identity: reason_by_itself(case, record, as_of) for identity, record in current.items()}
    alive = [current[identity] for identity in sorted(current) if ignored[identity] is None]
    fills = [record for record in alive if record["kind"] == "fill"]
    for record in fills:
        if any(same_dispensing(record, other) and other["id"] < record["id"] for other in fills):
            ignored[record["id"]] = "duplicate"
    filled = {record["rx_id"] for record in fills if ignored[record["id"]] is None} - {None}
    for record in alive:
        if record["kind"] == "rx":
            ignored[record["id"]] = reason_for_order(case, record, filled, as_of)
    counted = [record for record in alive if ignored[record["id"]] is None]
    counted.sort(key=lambda record: (record["start"], record["id"]))
    return counted, {identity: reason for identity, reason in ignored.items() if reason}


def latest_versions(case, as_of):
    """Step 1."""
    current = {}
    for record in sorted(case["records"], key=lambda record: (record["recorded_on"], record["version"])):
        if day(record["recorded_on"]) <= as_of:
            current[record["id"]] = record
    return current


def same_dispensing(one, other):
    """Step 4."""
    facts = ("rx_id", "fill_number", "start", "rxcui")
    return one["rx_id"] is not None and all(one[fact] == other[fact] for fact in facts)


def reason_for_order(case, order, filled, as_of):
    """Step 5."""
    if not setting(case, "count_written"):
        return "written_not_counted"
    if order["rx_id"] in filled:
        return "rx_filled"
    late = (as_of - day(order["start"])).days > setting(case, "written_expiry_days")
    return "rx_unfilled_expired" if late else None


def reason_by_itself(case, record, as_of):
    """Step 3."""
    if record["status"] != "active":
        return record["status"]
    if day(record["start"]) > as_of:
        return "future_dated"
    if record["rxcui"] not in PRODUCTS:
        return "unknown_product"
    kind = PRODUCTS[record["rxcui"]][1]
    if kind == "excluded" or (kind == "pain" and not setting(case, "count_pain_buprenorphine")):
        return "excluded_product"
    days = supply(record)
    if days is None or days < 1:
        return "no_days_supply"
    return "implausible_days_supply" if days > 366 else None


def days_from(first, number):
    return [first + DAY * step for step in range(number)]


def cover(case, records, as_of, *, shift, key):
    """Step 6: id to list of covered days."""
    free, covered = {}, {}
    for start in sorted({record["start"] for record in records}):
        group = [record for record in records if record["start"] == start]
        for record in group:
            first = day(start)
            if shift:
                first = max(first, free.get(key(record), first))
            covered[record["id"]] = days_from(first, supply(record))
        for record in group:
            after = covered[record["id"]][-1] + DAY
            free[key(record)] = max(after, free.get(key(record), after))
    return covered


def assess(case, counted, as_of):
    """Steps 6 to 12: the episodes, and all required days of all of them."""
    shift = setting(case, "overlap") == "shift"
    covered = cover(case, counted, as_of, shift=shift, key=lambda record: PRODUCTS[record["rxcui"]][0])
    if setting(case, "basis") == "elapsed":
        covered = {identity: [d for d in days if d <= as_of] for identity, days in covered.items()}
    present = [record for record in counted if covered[record["id"]]]
    everything = {d for record in present for d in covered[record["id"]]}
    episodes = []
    for members in grouped(case, present, covered, everything):
        days = {d for record in members for d in covered[record["id"]]}
        over = exceeded(case, members, present, covered, days, everything)
        needed = sorted(d for d in over if not released(case, d) and not established(case, d, everything))
        episodes.append(
            {
                "days": days,
                "members": members,
                "naive": naive(case, members[0], present, covered),
                "over": sorted(over),
                "needed": needed,
            }
        )
    return episodes, {d for episode in episodes for d in episode["needed"]}


def grouped(case, present, covered, everything):
    """Step 8: lists of records in (start, id) order."""
    gap = setting(case, "gap_days")
    groups = []
    if setting(case, "gap_anchor") == "fill_date":
        for record in present:
            if groups and (day(record["start"]) - day(groups[-1][-1]["start"])).days <= gap:
                groups[-1].append(record)
            else:
                groups.append([record])
        return groups
    previous, number, of_day = None, -1, {}
    for d in sorted(everything):
        if previous is None or (d - previous).days - 1 >= gap:
            number += 1
        of_day[d] = number
        previous = d
    return [[r for r in present if of_day[covered[r["id"]][0]] == wanted] for wanted in range(number + 1)]


def limit(case, d):
    """Step 10."""
    born, minor = day(case["patient"]["birth_date"]), setting(case, "minor_limit_days")
    if born is None or minor is None:
        return setting(case, "limit_days")
    age = d.year - born.year - ((d.month, d.day) < (born.month, born.day))
    return minor if age < setting(case, "minor_age") else setting(case, "limit_days")


def exceeded(case, members, present, covered, days, everything):
    """Steps 9 and 11: the set of days of the episode beyond the limit."""
    if setting(case, "mode") == "per_fill_naive":
        over = set()
        for record in members:
            most = limit(case, day(record["start"]))
            if naive(case, record, present, covered) != "not_naive" and supply(record) > most:
                over |= set(covered[record["id"]][most:])
        return over
    horizon = setting(case, "horizon_days")
    looked_at = [d for d in days if horizon is None or d <= min(days) + DAY * (horizon - 1)]
    return {d for d in looked_at if count(case, d, members, present, days, everything) > limit(case, d)}


def count(case, d, members, present, days, everything):
    """Step 9."""
    width = setting(case, "window_days")
    if setting(case, "overlap") == "sum":
        asked = members if width is None else present
        starts = [(day(record["start"]), supply(record)) for record in asked]
        return sum(n for start, n in starts if start <= d and (width is None or start > d - DAY * width))
    if width is None:
        return len([x for x in days if x <= d])
    return len([x for x in everything if d - DAY * width < x <= d])


def naive(case, record, present, covered):
    """Step 11, with clarification 10."""
    start = day(record["start"])
    since = start - DAY * setting(case, "gap_days")
    for other in present:
        if other is record:
            continue
        by_date = setting(case, "gap_anchor") == "fill_date"
        touched = [day(other["start"])] if by_date else covered[other["id"]]
        if any(since <= d < start for d in touched):
            return "not_naive"
    known_from = day(case["history_start"])
    return "unknown" if known_from and known_from > since else "naive"


def released(case, d):
    """Step 12: exemptions and authorizations."""
    exempt = [e for e in case["exemptions"] if e["category"] in setting(case, "exempt_categories")]
    for period in exempt + case["authorizations"]:
        start, end = day(period["start"]), day(period["end"])
        if (start is None or start <= d) and (end is None or d <= end):
            return True
    return False


def established(case, d, everything):
    """Step 12: established use."""
    least, width = setting(case, "established_days"), setting(case, "established_window")
    return least is not None and len([x for x in everything if d - DAY * width <= x < d]) >= least


def trigger(case, counted, episode, as_of):
    """Step 13."""
    if not episode["needed"]:
        return None
    for record in episode["members"]:
        partial, _ = assess(case, counted[: counted.index(record) + 1], as_of)
        if any(record in part["members"] and part["needed"] for part in partial):
            return record["id"]
    return None


def first_known(case, as_of):
    """Step 13, with clarification 3: every calendar day is tried."""
    if not case["records"]:
        return None
    k = min(day(record["recorded_on"]) for record in case["records"])
    while k <= as_of:
        if assess(case, select(case, k)[0], k)[1]:
            return k
        k += DAY
    return None


def printed(episode):
    return {
        "start": iso(min(episode["days"])),
        "end": iso(max(episode["days"])),
        "covered_days": len(episode["days"]),
        "records": sorted(record["id"] for record in episode["members"]),
        "naive_at_start": episode["naive"],
        "exceeded_on": iso(episode["over"][0]) if episode["over"] else None,
        "pa_required_from": iso(episode["needed"][0]) if episode["needed"] else None,
        "pa_required_days": len(episode["needed"]),
        "trigger_record": episode["trigger_record"],
    }


def mme(case, counted, as_of):
    """Section 2, from dispensings."""
    shift = setting(case, "mme_overlap") == "shift_same_product"
    covered = cover(case, counted, as_of, shift=shift, key=lambda record: record["rxcui"])
    totals = {}
    for d in sorted({d for days in covered.values() for d in days}):
        totals[d] = total(case, [record for record in counted if d in covered[record["id"]]])
    peak = max((amount for amount, _ in totals.values()), default=Fraction(0))
    return {
        "series": series(totals),
        "peak": money(peak),
        "peak_on": next((iso(d) for d, (amount, _) in totals.items() if amount == peak), None),
        "days_ge_50": len([d for d, (amount, _) in totals.items() if amount >= 50]),
        "days_ge_90": len([d for d, (amount, _) in totals.items() if amount >= 90]),
        "on_as_of": money(totals.get(as_of, (Fraction(0), True))[0]),
    }


def total(case, records):
    """The exact MME of one day on which these records are in use, and whether it is complete."""
    amount, methadone_mg, complete = Fraction(0), Fraction(0), True
    table = setting(case, "mme_table")
    for record in records:
        ingredient, kind, in_2016, in_2022 = PRODUCTS[record["rxcui"]]
        per_unit = in_2016 if table == "2016" else in_2022
        if kind == "pain":
            continue
        if per_unit is None or record["quantity"] is None or Fraction(str(record["quantity"])) <= 0:
            complete = False
            continue
        daily = Fraction(per_unit) * Fraction(str(record["quantity"])) / supply(record)
        if ingredient == "methadone" and table == "2016":
            methadone_mg += daily
        else:
            amount += daily
    tier = 4 if methadone_mg <= 20 else 8 if methadone_mg <= 40 else 10 if methadone_mg <= 60 else 12
    return amount + methadone_mg * tier, complete


def series(totals):
    """Equal days in a row become one entry."""
    runs = []
    for d, (amount, complete) in totals.items():
        if runs and runs[-1][1] == d - DAY and runs[-1][2:] == [amount, complete]:
            runs[-1][1] = d
        else:
            runs.append([d, d, amount, complete])
    return [[iso(first), iso(last), money(amount), complete] for first, last, amount, complete in runs]


def money(amount):
    """Two decimals, half up, by way of a decimal long enough to be exact about the half."""
    context = Context(prec=60)
    exact = context.divide(Decimal(amount.numerator), Decimal(amount.denominator))
    return str(exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP, context=context))
