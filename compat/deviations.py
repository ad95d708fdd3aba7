"""Where hapy differs from HAProxy 2.6.12, on purpose or not yet alike: the scenario, and why. Checked to differ still."""

from __future__ import annotations

#: Scenario name → reason.
DEVIATIONS = {
    "basics:logged_by_the_count": (
        "HAProxy 2.6 logs each request twice where the format has `%rt`, or the request's line or a part of it, and nothing "
        "that is known only later; hapy once."
    ),
    "checks:inherited_option_with_own_rules": (
        "With rules of its own, a backend of HAProxy 2.6 asks its servers nothing when `option httpchk` stands in a "
        "defaults section, so that all of them go down. hapy asks what the option says."
    ),
    "checks:time_to_answer": (
        "With a `timeout check` shorter than the time to connect (the lesser of `timeout connect` and `inter`) HAProxy 2.6 "
        "waits for the latter; hapy for what is said, as 2.8 and later do."
    ),
    "content:hello_in_several_records": (
        "HAProxy looks at a hello's first TLS record alone, and finds no name in one that comes in several; hapy puts them "
        "together, as RFC 8446 has it."
    ),
    "content:hello_without_its_end": (
        "HAProxy does not wait for the last four bytes of a hello, and gives half a name, or none, where what it looks for "
        "stands there; hapy does not wait for them only where they can't change what it has found."
    ),
    "content:methods_of_no_name": (
        "In TCP sections HAProxy 2.6 gives OPTIONS for the method of a request, whenever it is none of the nine usual ones; "
        "hapy gives what the client has sent."
    ),
    "content:payloads_at_a_place": (
        "HAProxy 2.6 takes an absolute place in `req.payload_lv` for half of it, or for one behind the length; hapy begins "
        "where its manual says."
    ),
    "cookies:one_of_several_set": (
        "Where a `Set-Cookie2` sets several cookies, HAProxy takes the persistence cookie out together with bytes of the "
        "others, or leaves it in; hapy takes out that one alone."
    ),
    "dns:cut_answers": (
        "HAProxy takes an answer over UDP that was cut for an error and asks the same again; hapy asks the same name "
        "server over TCP, as RFC 7766 has it."
    ),
    "dns_answers:by_the_rfcs": (
        "HAProxy minds the case of names and the order of records, loses a whole answer to a record of another name or a "
        "service that is nowhere, does not see what comes along behind EDNS, takes it without regard to the family wished "
        "for, and takes records of any class, type or name, out of what need be no answer and no whole one. hapy goes by "
        "RFC 1035, 2782, 4343 and 6891."
    ),
    "dns_answers:counted": (
        "HAProxy 2.6 leaves the counters `cname` and `timeout` of a name server at 0; hapy counts what its manual says."
    ),
    "dns:lies_about_the_type": (
        "HAProxy takes addresses out of an answer whose question is for another type; to hapy that is no answer to its "
        "question."
    ),
    "dns:ports_of_one_host": (
        "Of a service's records that name several ports of one host HAProxy gives only one to a server, since no two may "
        "have the same address; hapy uses all of them."
    ),
    "endings:last_words_that_are_two_requests": (
        "When a client's FIN comes in one segment with two requests, HAProxy answers only the first; when it comes a moment "
        "later, both. hapy answers both: RFC 9112 (9.6) lets a client close its side and go on reading."
    ),
    "endings:status_of_sessions": (
        "A TCP session has no status: `%ST` is 0 in HAProxy, but -1 in sections with conditions on HTTP messages; hapy says "
        "0 for all."
    ),
    "framing:codings_of_te": (
        "HAProxy's rules see, and its log counts, a TE without `trailers`, which no server gets; in hapy rules see what "
        "goes on."
    ),
    "framing:odd_versions_let_in": (
        "HAProxy passes the version word on as it came; hapy writes HTTP/1.0 or HTTP/1.1, whichever it was taken for."
    ),
    "framing:request_length_beyond_64_bits": (
        "HAProxy lets a length wrap around at 2^64 and passes it on as it came; hapy refuses one that two readers may take "
        "for two numbers."
    ),
    "framing:request_unsound_length_in_an_unfinished_head": (
        "hapy looks at lengths once the head is complete, HAProxy with each line: a head that stays unfinished is refused "
        "by both, there for its length, here for the time."
    ),
    "framing:request_unsound_version_in_an_unfinished_head": "The other way round: hapy refuses a bad version at once.",
    "framing:cut_answer_behind_an_informational_one": (
        "When an answer's head comes in one piece with a 1xx, HAProxy may not see that its body is cut short; hapy does."
    ),
    "framing:request_delete_in_target": (
        "HAProxy takes the DEL character in a target or refuses it, depending on what stands around it; hapy refuses it, as "
        "RFC 3986 has no such character in a URI."
    ),
    "framing:response_of_another_protocol": (
        "HAProxy takes any four letters, digits, dots or slashes for `HTTP` in a status line, though by its manual only "
        "`option accept-invalid-http-response` takes other versions; hapy refuses such an answer."
    ),
    "framing:response_upgrade_that_is_none": (
        "To an answer that says `upgrade: websocket` and is no 101, HAProxy adds a Sec-WebSocket-Accept of its own making; "
        "hapy passes it on as it is."
    ),
    "framing:response_status_below_100": (
        "HAProxy passes a status of two digits on and then waits for the server's end; hapy answers 502, as RFC 9112 has "
        "a status of three digits."
    ),
    "json_paths:names_in_other_elements": (
        "HAProxy gives for `$.a[0].c` the `c` of a later element where the first has none; hapy finds nothing there, as "
        "JSONPath (RFC 9535) has it."
    ),
    "proxied:lenient_lines": (
        "The specification of the PROXY protocol has no port above 65535, no leading zeros and no address of fewer than "
        "four numbers; HAProxy takes them all, hapy refuses such lines."
    ),
    "proxied:header_in_pieces": (
        "HAProxy gives up on a PROXY header whose first segment does not hold all of it; hapy waits up to three seconds "
        "for the rest, as the specification recommends."
    ),
    "proxied:refused_on_unix_sockets": (
        "HAProxy closes over bytes that it has looked at but not read, which a UNIX socket tells its client as a reset; hapy "
        "has read them, and the system lets nobody reset such a socket otherwise: its client sees the end. Log and counters "
        "are the same."
    ),
    "reuse:credentials_are_private": (
        "HAProxy sees connection-bound authentication in answers alone, so that another client's request may use a "
        "connection on which NTLM or Negotiate came unasked; in hapy it belongs to its client from then on."
    ),
    "reuse:max_reuse": (
        "HAProxy does not enforce `max-reuse` on HTTP/1 server connections, though its manual gives the limit to all "
        "that can; hapy closes a connection that has carried its requests."
    ),
    "reuse:max_reuse_zero": "The same: with `max-reuse 0` hapy keeps no server connection alive.",
    "reuse_table:the_latest": (
        "Of several idle connections HAProxy takes one by the place that it has in a tree, hapy the one that was used last: "
        "its window is open, and those that nobody needs grow old and are closed."
    ),
    "rules:conditions_on_made_methods": (
        "In HAProxy no condition on a method is true of one that rules have made of an unusual one, if the new one is "
        "usual: PUT of PATCH is no PUT. In hapy it is."
    ),
    "rules:gets_made_heads": (
        "With `http-request set-method HEAD` HAProxy leaves the client of a GET waiting for the body that the answer's "
        "length tells of, and takes up the next request on the same connection; hapy ends it."
    ),
    "rules:normalized_on_a_condition": (
        "Where a condition follows directly, HAProxy 2.6 takes each normalizer that may be followed by `full` or `strict` "
        "for `path-merge-slashes`; hapy does what is said, as 3.2 does."
    ),
    "rules:rule_response_return_format": (
        "HAProxy throws the server's answer away before it makes the one of `http-response return` (and of `deny`, with a "
        "format), so that formats find nothing of it, or nothing at all is sent; hapy makes the answer first."
    ),
    "rules:rule_tarpit_format": (
        "HAProxy throws the request away before it makes the answer of a tarpit, so that formats find nothing of it; hapy "
        "makes it as those of `deny` and `return`."
    ),
    "server_changes:address_for_the_lost": (
        "HAProxy 2.6 refuses an address for a server whose name has none, yet has it READY from then on, so that requests "
        "that get it fail; hapy refuses and leaves it in maintenance."
    ),
    "terminations:hints_before_nothing": (
        "When a server leaves after a 1xx and may be asked again, HAProxy answers 500 and logs `IH`, which by its manual "
        "should never happen; hapy asks again, and tells how that ended."
    ),
    "timing:tarpit_for_the_time_to_connect": (
        "By HAProxy's manual `timeout connect` stands in for a missing `timeout tarpit`, yet a frontend of 2.6 does not "
        "inherit it and holds nobody; hapy holds them for that time."
    ),
    "persisting:saved_servers_nobody_checks": (
        "A server that nobody checks stays down in HAProxy, for good, or takes no new clients, when it was so in the file; "
        "hapy has it up: nothing would ever find out that it works."
    ),
    "states_told:downtime_of_the_drained": (
        "HAProxy forgets how long a server has been down when it is drained meanwhile; hapy counts all of it."
    ),
    "sockets:reuse_by_client_address": (
        "With `usesrc clientip` HAProxy hardly ever takes a connection that another connection of the same client opened; "
        "hapy does, since nothing that the server sees of them differs."
    ),
    "sockets:source_from_no_address": (
        "HAProxy takes for `usesrc hdr_ip` whatever a field begins with: 127.1 for 127.1.0.0, a word or an IPv6 address for "
        "0.0.0.0; hapy connects from the address before `usesrc` where the field has none of the server's family."
    ),
    "sockets:source_from_a_missing_field": (
        "HAProxy 2.6 answers 500 and logs an internal error, which by its manual never happens, where a request has no "
        "field to take `usesrc hdr_ip` from; hapy connects from the address before `usesrc`."
    ),
    "stats_page:oddities": (
        "HAProxy logs status 400 for the statistics page's answer 401, and sends the page in chunks to clients of HTTP/1.0, "
        "which do not know them; hapy logs what it sends, and ends the page for such clients by closing."
    ),
    "upgrades:websocket_behind_hints": (
        "HAProxy 2.6 answers 502 when a 1xx comes before the 101 of a WebSocket; hapy passes both on: RFC 9110 (7.8) even asks "
        "for that order where a client expects 100 Continue, too."
    ),
    "proxied_lengths:netscaler_almost_whole": (
        "HAProxy counts the first bytes of a NetScaler header as part of what it announces: with eight or twelve of its last "
        "ones missing it takes the addresses, then closes for an error of the connection; hapy waits for them, then closes, "
        "too, and tells of a truncated header."
    ),
    "proxied_lengths:netscaler_in_pieces": (
        "HAProxy gives up on most NetScaler headers that do not come in one segment, and where the announced length ends "
        "within the addresses, what it finds behind depends on what was in its memory; hapy waits up to three seconds for "
        "the whole of it, whatever length it announces."
    ),
    "tls:groups_of_a_line": (
        "HAProxy 2.6 takes `curves` and `ecdhe` on a line of a crt-list and goes on with the bind line's; hapy does what the "
        "line says."
    ),
    "tls:made_certificates_of_ecdsa": (
        "With `generate-certificates` beside an ECDSA certificate the first handshake of TLS 1.2 for many new names fails in "
        "HAProxy 2.6, by an error about Diffie-Hellman that is left behind; hapy serves it."
    ),
    "tls:made_certificates_of_lists": (
        "HAProxy 2.6 puts a name with commas into a made certificate as a list of alternative names of any kind, as the "
        "client wishes; hapy makes none for it, since no host has such a name."
    ),
    "tls:rsa_pss_alone": (
        "HAProxy's handshake fails with clients of TLS 1.3 that take RSA-PSS alone, where there is an ECDSA certificate, "
        "too; hapy serves them the RSA one."
    ),
    "tls:server_names_and_pool": (
        "HAProxy keeps no more idle connections than were in use at once, so that names (`sni` from the request) push each "
        "other out; hapy keeps one of each name that was asked for lately."
    ),
    "tls:timestamps_13": (
        "HAProxy sends what is in a `.sctl` file with TLS 1.2 only; hapy with TLS 1.3, too, where RFC 8446 has it, beside the "
        "certificate."
    ),
    "tls_broken:sessions_carried_by_keys": (
        "HAProxy takes up a session of one bind line on another one, though that may want another certificate of the client, "
        "or one at all, where both share `tls-ticket-keys`; hapy does so only where clients are verified in the same way."
    ),
    "tls_broken:sessions_carried_without_tickets": (
        "HAProxy takes up a session of one bind line on another one, though that may want another certificate of the client, "
        "or one at all, where sessions are kept without tickets; hapy does so only where clients are verified in the same way."
    ),
    "tls_broken:spoilt_in_a_head": (
        "When a server's response head breaks off in bytes that are no TLS, HAProxy waits for `timeout server` and answers "
        "504; hapy answers 502 at once, which its manual has for incomplete responses and broken connections."
    ),
    "tls_names:dsa_beside_ecdsa": (
        "HAProxy takes a DSA certificate for clients of TLS 1.3, which knows no DSA, though an ECDSA one stands beside it, so "
        "that the handshake fails; hapy serves the ECDSA one."
    ),
    "tls_to_servers:sessions_of_names": (
        "HAProxy keeps one session for a server, and drops it when another name (`sni`) is asked for; hapy keeps one for "
        "each name."
    ),
    "tls_to_servers:name_with_a_zero": (
        "HAProxy reads a certificate's common name up to a zero byte, and so takes one for a.test\\0.other.test as one for "
        "a.test; hapy reads all of it."
    ),
    "verdicts:system_authorities_beside_a_base": (
        "With a `ca-base` HAProxy 2.6 looks for a file named @system-ca below it; hapy trusts what the system does, as the "
        "manual has it."
    ),
    "verdicts:bracket_that_stays_open": (
        "HAProxy takes a line of a crt-list whose options have no closing bracket, whatever stands behind the opening one; "
        "hapy tells what is wrong with them."
    ),
    "verdicts:more_sessions_than_memory": (
        "HAProxy makes room for all of `tune.ssl.cachesize` at the start, and doesn't start where there is none; hapy's "
        "cache grows."
    ),
}
