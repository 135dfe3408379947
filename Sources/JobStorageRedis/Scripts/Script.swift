/// The Lua scripts, each from the file of its name beside this one.
enum Script {
    static let listJobIDs = PackageResources.list_job_ids_lua
}
