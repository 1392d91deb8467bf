multiIf(
    -- a UUID of version 7, packed: its own time is moved, the rest is drawn anew
    length({id}) = 16 AND startsWith(hex(substring({id}, 7, 1)), '7'),
    unhex(concat(
        leftPad(hex(reinterpretAsUInt64(reverse(substring({id}, 1, 6))) + {later_ms:UInt64}), 12, '0'),
        '7', substring(hex(sipHash128({id}, {copy:UInt64})), 1, 3), '8', substring(hex(sipHash128({id}, {copy:UInt64})), 4, 15))),
    startsWith({id}, 'req_'), concat('req_', toString(cityHash64({id}, {copy:UInt64}))),
    startsWith({id}, 'hmac-sha256:'), concat('hmac-sha256:', lower(hex(sipHash64({id}, {copy:UInt64})))),
    match({id}, '^[0-9a-f]{32}$'), lower(hex(sipHash128({id}, {copy:UInt64}))),
    {id} = '', '',
    concat({id}, '-', toString({copy:UInt64})))
