-- The loader makes a unique index of each partition of fact_rating: that a user has one rating of a
-- movie is proven there once, in place of by a sort of all ratings in dbt. The live marts find facts
-- by it. A unique index of the whole table would have to hold the run id in every entry.

drop index gold.fact_rating_of_user;

do $$
declare
    part regclass;
begin
    for part in select inhrelid::regclass from pg_inherits where inhparent = 'gold.fact_rating'::regclass loop
        begin
            execute format('create unique index on %s (user_id, movie_id)', part);
        exception when unique_violation then
            raise notice '% has a rating twice and gets no key: it cannot be published', part;
        end;
    end loop;
end $$;
