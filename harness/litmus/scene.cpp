#include "harness/litmus/scene.hpp"

namespace daxrace::litmus {
namespace {

/// Accesses whose page has a translation before they begin.
bool is_mapped_before(AccessKind access) {
  switch (access) {
    case AccessKind::load:
    case AccessKind::store:
    case AccessKind::gup_fast:
    case AccessKind::gup_two:
    case AccessKind::gup_again:
    case AccessKind::pin:
    case AccessKind::pin_fsync:
    case AccessKind::pin_and_aio:
    case AccessKind::pin_munmap:
    case AccessKind::pin_unlink:
    case AccessKind::pin_outside:
    case AccessKind::pin_refault:
    case AccessKind::pin_2m:
    case AccessKind::pin_interrupted:
    case AccessKind::pin_then_read:
    case AccessKind::zero_page_fault:
      return true;
    default:
      return false;
  }
}

}  // namespace

Staging staging_of(Operation operation, AccessKind access) {
  Staging staging{.pages_per_entry = info_of(access).pages_per_entry,
                  .hole = operation == Operation::write_hole};
  if (is_mapped_before(access)) staging.mapped[kPage] = staging.mapped[0] = true;
  if (access == AccessKind::pin_2m) staging.mapped[kFilePages - 1] = true;
  return staging;
}

Scene::Scene(const Script& of, Operation with, AccessKind in_flight, RefcountRegime regime,
             const KernelRules& rules)
    : Scene(of, staging_of(with, in_flight), regime, rules) {
  operation = with;
  access = in_flight;
}

Scene::Scene(const Script& of, const Staging& staged, RefcountRegime regime, const KernelRules& rules)
    : script(of),
      staging(staged),
      rule(core::RefcountRule::of(regime)),
      store(rule.idle, staged.pages_per_entry),
      env(machine, record, store.contents, rules),
      first_store_(store) {
  prepare();
  first_record_ = record;
  first_store_ = store;
  first_free_frames_ = store.free_frames();
}

void Scene::fill(ModelInode& ip, PageOffset page) {
  ModelKernel k = kernel();
  const core::Block block = core::allocate_block(k, ip, page);
  const std::uint32_t sequence = env.oracle().next_sequence(ip.ino, page);
  store.contents[block.frame] = Stamp{static_cast<std::uint8_t>(ip.ino), Hazard::h2, page, sequence}.word();
  env.oracle().written(ip.ino, page, sequence);
}

void Scene::map(ModelInode& ip, PageOffset page) {
  ModelKernel k = kernel();
  const bool hole = staging.hole && ip.ino == kFileIno && page == kPage;
  core::dax_iomap_fault(k, ip, ip.first_mapping, page, !hole);
}

void Scene::prepare() {
  for (ModelInode* ip : {&file(), &other()}) {
    ip->i_size.store(kFilePages);
    for (PageOffset page = 0; page < kFilePages; ++page)
      if (!(staging.hole && ip == &file() && page == kPage)) fill(*ip, page);
  }
  victim().i_size.store(model::kPages);
  // kPage first: the order shows in what is mapped when.
  for (const PageOffset page : {kPage, PageOffset{0}, kPage + 1, kFilePages - 1})
    if (staging.mapped[page]) map(file(), page);
}

void Scene::rewind() {
  machine.reset();
  record = first_record_;
  store = first_store_;
  said = {};
}

void Scene::reuse_freed_blocks() {
  ModelKernel k = kernel();
  for (PageOffset page = 0; page < model::kPages; ++page) {
    if (core::lookup_block(k, victim(), page)) continue;
    const FrameNumber next = store.next_free();
    if (next == core::kNoFrame || store.frame(next).generation.load() == 0) return;
    fill(victim(), page);
  }
}

bool Scene::layout_is_as_prepared() {
  ModelInode& then = first_store_.inode(kFileIno);
  if (file().i_size.load() != then.i_size.load()) return false;
  for (PageOffset page = 0; page < model::kPages; ++page)
    if (store.extents(file()).load(page) != first_store_.extents(then).load(page)) return false;
  return true;
}

bool Scene::is_anything_locked(ModelInode& ip) {
  bool locked = !ip.i_rwsem.free() || !ip.invalidate_lock.free();
  for (TaskId task = 0; task < model::kTasks; ++task)
    for (const auto* range : {&ip.io_range, &ip.mapping_range}) locked = locked || machine.holds(task, range);
  auto& entries = store.entries(ip);
  entries.for_each(core::kWholeFile, [&](PageOffset index) {
    locked = locked || core::DaxEntry::from(entries.load(index)).locked();
  });
  return locked;
}

void Scene::check_what_is_left() {
  ModelKernel k = kernel();
  auto& oracle = env.oracle();
  const auto left_over = [&](std::uint32_t ino, FrameNumber frame) {
    oracle.report(Detector::leak, Hazard::h6, ino, 0, frame, 0);
  };
  store.extents(victim()).for_each(core::kWholeFile, [&](PageOffset page) {
    const core::Block block = core::lookup_block(k, victim(), page);
    const Stamp stamp = Stamp::from(store.contents[block.frame]);
    if (stamp.ino != kVictimIno)
      oracle.report(Detector::corruption, stamp.writer, kVictimIno, page, block.frame, 0);
  });
  if (said.change_error == -EINTR && !layout_is_as_prepared()) left_over(kFileIno, core::kNoFrame);
  std::uint32_t used = 0;
  for (ModelInode* ip : {&file(), &other(), &victim()}) {
    store.translations(ip->first_mapping).for_each(core::kWholeFile, [&](PageOffset page) {
      const auto seen = core::Translation::from(store.translations(ip->first_mapping).load(page));
      const core::Block block = core::lookup_block(k, *ip, page);
      if (seen.zero_page() && block)
        oracle.report(Detector::stale_data, Hazard::h8, ip->ino, page, block.frame, 0);
      if (seen.has_frame() &&
          (!block || seen.frame() != block.frame || seen.block().generation != block.generation))
        oracle.report(Detector::stale_access, Hazard::h1, ip->ino, page, seen.frame(), 0);
    });
    store.extents(*ip).for_each(core::kWholeFile, [&](PageOffset) { ++used; });
    core::unmap_mapping_range(k, *ip, core::kWholeFile);
    if (ip->i_dio_count.load() != 0 || is_anything_locked(*ip)) left_over(ip->ino, core::kNoFrame);
    if (core::has_leases(k, *ip) && !said.silent) left_over(ip->ino, core::kNoFrame);
  }
  for (FrameNumber frame = 0; frame < model::kFrames; ++frame)
    if (store.frame(frame).refcount.load() != rule.idle) left_over(0, frame);
  if (used + store.free_frames() != model::kFrames) left_over(0, core::kNoFrame);
}

}  // namespace daxrace::litmus
