//! The gate through the rules that the protos declare: who is admitted where, and in what words the others are not.
mod audit;
mod callers;
mod names;
mod objects;
mod pipelines;
mod placed;
mod runs;
mod single_user;
mod v1;
mod world;
