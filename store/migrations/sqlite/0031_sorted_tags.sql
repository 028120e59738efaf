-- Sorted lists of one tag: what videos are put in order by, beside each of their tags, and an index for each order.
-- `postgres/0031_sorted_tags.sql` is its twin. Triggers keep the columns true, whichever version of the program writes.
alter table tags add column title_key text not null default '';
alter table tags add column views bigint not null default 0;
alter table tags add column length_ms bigint not null default 0;
update tags set title_key = (select v.title_key from videos v where v.id = tags.video_id),
                views = (select v.views from videos v where v.id = tags.video_id),
                length_ms = (select v.length_ms from videos v where v.id = tags.video_id);

create index tags_by_title on tags (tag_key, title_key, created_at, video_id);
create index tags_by_views on tags (tag_key, views desc, created_at desc, video_id desc);
create index tags_by_length on tags (tag_key, length_ms desc, created_at desc, video_id desc);

create trigger tags_ordered after insert on tags begin
    update tags set title_key = (select v.title_key from videos v where v.id = new.video_id),
                    views = (select v.views from videos v where v.id = new.video_id),
                    length_ms = (select v.length_ms from videos v where v.id = new.video_id)
    where video_id = new.video_id and tag_key = new.tag_key;
end;
create trigger tags_follow after update of title_key, views, length_ms on videos begin
    update tags set title_key = new.title_key, views = new.views, length_ms = new.length_ms
    where video_id = new.id;
end;
