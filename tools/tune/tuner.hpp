// SPDX-License-Identifier: Apache-2.0
//
// The loop of `rayo tune`: job by job, curve by curve, within a budget; what is measured is saved as it comes.
#pragma once

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "grid.hpp"
#include "measure.hpp"
#include "tuner/profile.hpp"

namespace rayo::tools::tune {

struct TunerOptions {
  Extent extent = Extent::normal;
  double budget_s = 100;
  bool resume = false;
  bool add = false;        // points to those of an earlier run, instead of replacing them
  bool for_class = false;  // for machines of this kind: plugins by their version, no devices, no mark of this machine
  std::string file;
};

struct Outcome {
  std::size_t jobs = 0;
  std::size_t measured = 0;  // in this run
  std::size_t kept = 0;      // from an earlier one
  std::size_t points = 0;
  bool interrupted = false;
  std::vector<std::string> notes;  // what could not be measured, and why
};

struct Grown;  // an entry under construction

class Tuner {
 public:
  // `progress`: share done, and what is being measured. Borrowed: everything.
  Tuner(const Session &session, const TunerOptions &options, const volatile std::sig_atomic_t *stop,
        std::function<void(double share, const std::string &what)> progress);

  // Measures, and saves the profile as it grows: it is always whole, `complete` once everything is there.
  Outcome run(const std::vector<Job> &jobs);
  const Profile &profile() const { return profile_; }

 private:
  void begin();
  bool able(const Job &job, const Way &way) const;
  bool has_entry(const Job &job, const std::string &residency) const;
  void measure_devices(const std::vector<Job> &jobs);
  void measure_launch(const std::vector<Job> &jobs, const Way &way, ProfileTransfer *transfer);
  void measure_resident(const Job &job, const std::string &device, const ProfileEntry &on_host, double seconds);
  void measure_curves(const Job &job, double seconds, Grown *grown);
  void note_wrong(const Job &job, const Grown &grown);
  bool keep_earlier(const Job &job);
  void adopt_earlier(const Job &job, Grown *grown);
  void measure_job(const Job &job, double seconds);
  void measure_curve(const Job &job, const Curve &curve, Grown *grown, double seconds);
  Effort effort_for(std::size_t ways, double seconds) const;
  bool measure_point(const Job &job, const Curve &curve, double volume, double seconds, Grown *grown);
  void confirm_devices(const Job &job, const Curve &curve, Grown *grown, double seconds);
  void store(const Grown &grown);
  void save(bool complete);
  double now_s() const;

  const Session &session_;
  TunerOptions options_;
  const volatile std::sig_atomic_t *stop_;
  std::function<void(double, const std::string &)> progress_;
  Measurer measurer_;
  std::vector<Way> ways_;
  Profile profile_;
  std::vector<ProfileEntry> earlier_;
  Outcome outcome_;
  double share_ = 0;
  double last_save_s_ = 0;
  double overrun_left_s_ = 0;  // that curves may still take beyond their shares
};

}  // namespace rayo::tools::tune
