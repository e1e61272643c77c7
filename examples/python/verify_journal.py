#!/usr/bin/env python3
"""Verifies what `stentor journal export --texts` wrote, without Stentor: see docs/src/journal-format.md.

usage: verify_journal.py EXPORT [OLDER-EXPORT]      exit 0: sound, 1: faults, 2: unreadable
"""
import hashlib, json, sys

SHOWED = ["settled", "desk-showed", "link-showed"]
NAMING = dict.fromkeys(SHOWED, ["text"]) | {"exchanged": ["said", "told"]}  # the fields that name texts


def sha(data):
    return hashlib.sha256(data).digest()


def read(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file if line.strip()]


def verify(items, kept):
    faults, ends, texts, named, anchors = [], {}, {}, {}, {}
    for item in items:
        body = item["body"].encode("utf-8")
        if "text" in item:  # a text that was shown
            texts[item["text"]] = hashlib.sha256(body).hexdigest()[:32]
            continue
        chain, seq, place = item["chain"], item["seq"], f'{item["chain"]} line {item["seq"]}'
        last, previous = ends.get(chain, (0, sha(chain.encode("utf-8"))))
        if seq != last + 1:
            faults.append(f"{place}: line {last + 1} should come here")
        elif sha(previous + body).hex() != item["hash"]:
            faults.append(f"{place}: altered")
        ends[chain] = (seq, bytes.fromhex(item["hash"]))
        record = json.loads(body)
        if (record["chain"], record["seq"]) != (chain, seq):
            faults.append(f"{place}: it says that it is another line")
        for field in NAMING.get(record["event"], []):
            named.setdefault(record.get(field), place)
        if chain == "anchors":
            anchors[seq] = item["hash"]
            for other, at, head in record["heads"]:
                if ends.get(other) != (at, bytes.fromhex(head)):
                    faults.append(f"{place}: {other} does not end as it says")
    faults += [f"text {name}: edited" for name, found in texts.items() if name != found]
    faults += [f"text {name}: missing, named by {by}" for name, by in named.items() if name and texts and name not in texts]
    for item in kept:  # anchors that were kept elsewhere
        if item.get("chain") == "anchors" and anchors.get(item["seq"]) != item["hash"]:
            faults.append(f'anchors line {item["seq"]}: not the one that was kept')
    return faults, len(ends), len(texts)


if __name__ == "__main__":
    try:
        result, chains, shown = verify(read(sys.argv[1]), read(sys.argv[2]) if len(sys.argv) > 2 else [])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        sys.exit(print(f"can not be read: {error!r}", file=sys.stderr) or 2)
    print("\n".join(result + [f"{chains} chain(s), {shown} text(s): {len(result)} fault(s)"]))
    sys.exit(1 if result else 0)
