-- Run once by an administrator, as psql's script; passwords come from the environment:
--   OWNER_PASSWORD=... WEB_PASSWORD=... JOB_PASSWORD=... BACKUP_PASSWORD=... psql -d postgres -f deploy/roles.sql
\set ON_ERROR_STOP on
\getenv owner_password OWNER_PASSWORD
\getenv web_password WEB_PASSWORD
\getenv job_password JOB_PASSWORD
\getenv backup_password BACKUP_PASSWORD
create role vigilo_owner login createrole password :'owner_password';
create role vigilo_web login nosuperuser nobypassrls nocreatedb nocreaterole noinherit password :'web_password';
create role vigilo_job login nosuperuser nobypassrls nocreatedb nocreaterole noinherit password :'job_password';
grant vigilo_job to vigilo_owner;
-- For backups: bound by no policy, reads everything, writes nothing.
create role vigilo_backup login bypassrls password :'backup_password';
grant pg_read_all_data to vigilo_backup;
create database vigilo owner vigilo_owner encoding 'UTF8' template template0;
revoke connect on database vigilo from public;
grant connect on database vigilo to vigilo_web, vigilo_job, vigilo_backup;
\connect vigilo
-- Room on the disk that anybody could take who can connect: objects of no table, and messages in the log.
do $$
declare f regprocedure;
begin
    for f in select p.oid from pg_proc p
             where p.pronamespace = 'pg_catalog'::regnamespace
               and p.proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'pg_logical_emit_message') loop
        execute format('revoke execute on function %s from public', f);
    end loop;
end $$;
-- Sorting spills to the disk, without end where nothing bounds it; this only a superuser sets, and changes.
alter role vigilo_web set temp_file_limit = '2GB';
