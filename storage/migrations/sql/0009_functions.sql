-- One distribution of one block (duration_block) as rows: an entry is four bytes, from the high bits to
-- the low the day's place in the block (5), the bucket + 1 (11) and how many (16). Null has no rows.
create function vigilo.unpacked_days(data bytea)
returns table (place int, bucket int, n int)
language plpgsql immutable strict as $$
begin
    if octet_length(data) % 4 <> 0 then
        raise exception 'stored durations are broken: % bytes are no whole number of entries',
            octet_length(data) using errcode = 'data_corrupted';
    end if;
    return query
    select get_byte(data, i) >> 3,
           (((get_byte(data, i) & 7) << 8) | get_byte(data, i + 1)) - 1,
           (get_byte(data, i + 2) << 8) | get_byte(data, i + 3)
    from generate_series(0, octet_length(data) - 4, 4) as i;
end $$;
